import Foundation
import Tensors

/// What decides the bytes of an output: two runs with the same key must make the same.
///
/// The hash is SHA-256 over a canonical JSON text of stage, version, spec, seed, configuration and the inputs' hashes by role,
/// all sorted. Left out is what must not matter: from the configuration every member named `threads`, and every one whose name
/// is or ends in `path`, `folder` or `file`.
struct RunKey {
    let stage: String
    var version = Program.version
    let spec: String?
    let seed: UInt64?
    /// JSON text.
    let configuration: Data
    /// Role and SHA-256.
    let inputs: [(role: String, sha256: String)]

    func hash() throws -> String {
        let members: [String: Any] = [
            "stage": stage, "version": version, "spec": spec ?? NSNull(), "seed": seed.map { "\($0)" } ?? NSNull(),
            "configuration": Self.essence(try JSONSerialization.jsonObject(with: configuration, options: .fragmentsAllowed)),
            "inputs": inputs.map { "\($0.role)=\($0.sha256)" }.sorted(),
        ]
        return FileSystem.sha256(try JSONSerialization.data(withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes]))
    }

    private static func essence(_ value: Any) -> Any {
        if let list = value as? [Any] { return list.map(essence) }
        guard let object = value as? [String: Any] else { return value }
        return object.filter { !isIncidental($0.key) }.mapValues(essence)
    }

    private static func isIncidental(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "threads" || ["path", "folder", "file"].contains { name.hasSuffix($0) }
    }
}
