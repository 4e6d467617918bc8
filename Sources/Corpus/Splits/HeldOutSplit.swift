import Tensors

/// Sets pairs of one text aside for validation and test.
///
/// Pairs that share a source or a target sentence belong together (directly or through others), and such a group never
/// parts: no sentence of either language is on both sides of a split. Which groups are chosen depends on the seed and
/// on the text of their sentences alone, not on the direction of translation nor on the order of the file.
package struct HeldOutSplit: Sendable {
    package var valid: Int
    package var test: Int
    package var seed: UInt64

    package init(valid: Int, test: Int, seed: UInt64) {
        self.valid = valid
        self.test = test
        self.seed = seed
    }

    /// Groups go, in the order of their hash, to the test set and then to the validation set while they fit; the rest
    /// is training text, and so are pairs of which a side is empty, to be dropped there. Within a split pairs stay in
    /// the order of the file.
    ///
    /// - Parameter name: of the text, in errors only.
    package func apply(to text: ParallelText, name: String) throws -> [Split: ParallelText] {
        let isWhole = (0..<text.count).map { !text.source[$0].isEmpty && !text.target[$0].isEmpty },
            count = isWhole.count { $0 }
        guard count > valid + test else { throw tooFew(count, name) }
        var sizes: [Int: Int] = [:]
        let (groups, keys) = groups(of: text, isWhole)
        for (group, isWhole) in zip(groups, isWhole) where isWhole { sizes[group, default: 0] += 1 }
        var room: [Split: Int] = [.test: test, .valid: valid]
        var place: [Int: Split] = [:]
        for group in sizes.keys.sorted(by: { (keys[$0]!, $0) < (keys[$1]!, $1) }) {
            let split = [Split.test, .valid].first { room[$0]! >= sizes[group]! } ?? .train
            place[group] = split
            room[split]? -= sizes[group]!
        }
        var splits: [Split: ParallelText] = [.train: .init(), .valid: .init(), .test: .init()]
        for index in 0..<text.count {
            let split = isWhole[index] ? place[groups[index]]! : .train
            splits[split]!.append(source: text.source[index], target: text.target[index])
        }
        for (reason, count) in text.skipped { splits[.train]!.skip(count, reason) }
        return splits
    }

    private func tooFew(_ count: Int, _ name: String) -> DataError {
        guard valid + test > 0 else { return DataError(path: name, expected: "sentence pairs", found: "none") }
        return DataError(
            path: name, expected: "more than \(valid + test) pairs to hold \(valid) and \(test) out",
            found: "\(count)",
            hint: "hold out fewer with --hold-out-valid and --hold-out-test, or give files for validation and test")
    }

    /// The group of each pair (union-find over its two sentences), and for each group the least hash of its sentences.
    private func groups(of text: ParallelText, _ isWhole: [Bool]) -> (groups: [Int], keys: [Int: UInt64]) {
        var parent: [Int] = []
        func root(_ node: Int) -> Int {
            var node = node
            while parent[node] != node {
                parent[node] = parent[parent[node]]
                node = parent[node]
            }
            return node
        }
        func nodes(_ sentences: [String]) -> [Int] {
            var known: [String: Int] = [:]
            return sentences.map { sentence in
                if let node = known[sentence] { return node }
                parent.append(parent.count)
                known[sentence] = parent.count - 1
                return parent.count - 1
            }
        }
        let sourceNodes = nodes(text.source)
        let targetNodes = nodes(text.target)
        for (index, (a, b)) in zip(sourceNodes, targetNodes).enumerated() where isWhole[index] {
            parent[root(a)] = root(b)
        }

        let groups = sourceNodes.map(root)
        var keys: [Int: UInt64] = [:]
        for (index, group) in groups.enumerated() where isWhole[index] {
            let least = min(
                StableHash.value(text.source[index], seed: seed), StableHash.value(text.target[index], seed: seed))
            keys[group] = min(keys[group] ?? .max, least)
        }
        return (groups, keys)
    }
}

/// A hash that is the same in every process and on every machine.
enum StableHash {
    /// FNV-1a over the UTF-8 bytes, then the finalizer of SplitMix64, so that every bit depends on every byte.
    static func value(_ text: String, seed: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ SplitMix64.mixed(seed)
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return SplitMix64.mixed(hash)
    }
}
