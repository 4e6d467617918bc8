/// What something was made from, all the way back, as a manifest lists it: paths of roles, such as `capture/model`, to
/// the SHA-256 of an artifact's manifest or file.
///
/// An artifact that several others were made from stands under each of them. What is behind it stands where its path is
/// shortest, and there alone: a model that grew layer after layer is at the end of paths whose number doubles with each
/// layer, and of few artifacts.
package enum Lineage {
    /// The lineage of what is made from `inputs`, of which each comes with its own.
    package static func of(
        _ inputs: [(role: String, sha256: String, origins: [String: String])]
    ) -> [String: String] {
        let madeFrom = madeFrom(inputs)
        var result: [String: String] = [:], isExpanded: Set<String> = []
        var level = inputs.map { (path: $0.role, sha256: $0.sha256) }.sorted { $0.path < $1.path }
        while !level.isEmpty {
            var next: [(path: String, sha256: String)] = []
            for (path, artifact) in level {
                if result[path] == nil { result[path] = artifact }
                guard isExpanded.insert(artifact).inserted else { continue }
                for (role, origin) in madeFrom[artifact, default: [:]].sorted(by: { $0.key < $1.key }) {
                    next.append((path + "/" + role, origin))
                }
            }
            level = next
        }
        return result
    }

    /// What `artifact` was made from, by role, wherever `lineage` says it.
    package static func origins(of artifact: String, in lineage: [String: String]) -> [String: String] {
        let paths = Set(lineage.filter { $0.value == artifact }.keys)
        var result: [String: String] = [:]
        for (path, origin) in lineage {
            guard let end = path.lastIndex(of: "/"), paths.contains(String(path[..<end])) else { continue }
            result[String(path[path.index(after: end)...])] = origin
        }
        return result
    }

    /// Of each artifact the hashes of what it was made from, by role.
    private static func madeFrom(
        _ inputs: [(role: String, sha256: String, origins: [String: String])]
    ) -> [String: [String: String]] {
        var result: [String: [String: String]] = [:]
        for input in inputs {
            for (path, origin) in input.origins {
                let parts = path.split(separator: "/"), parent = parts.dropLast().joined(separator: "/")
                guard let role = parts.last, let maker = parent.isEmpty ? input.sha256 : input.origins[parent] else {
                    continue
                }
                result[maker, default: [:]][String(role)] = origin
            }
        }
        return result
    }
}
