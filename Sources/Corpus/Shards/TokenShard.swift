import Tensors

/// One split: source and target ids of its sentence pairs, without sentence marks.
///
/// On disk it is a safetensors file with `source.tokens`, `target.tokens` (U16, or I32 for more than 65,536 ids) and
/// `source.offsets`, `target.offsets` (I64, one more than there are sentences).
public struct TokenShard: Equatable, Sendable {
    public private(set) var source = TokenSequences()
    public private(set) var target = TokenSequences()

    public var count: Int { source.count }

    public init() {}

    public mutating func append(source: [Int], target: [Int]) {
        self.source.append(source)
        self.target.append(target)
    }
}

// MARK: - Files

extension TokenShard {
    /// Reads a shard and checks all of it: offsets that rise to the number of ids, ids within the vocabulary, as many
    /// sentences on one side as on the other.
    public init(path: String, sourceVocabulary: Int, targetVocabulary: Int) throws {
        let file = try TensorFile(path: path)
        source = try Self.sequences("source", in: file, vocabulary: sourceVocabulary)
        target = try Self.sequences("target", in: file, vocabulary: targetVocabulary)
        guard source.count == target.count else {
            throw DataError(path: path, expected: "\(source.count) target sentences", found: "\(target.count)")
        }
    }

    public func write(to path: String, sourceVocabulary: Int, targetVocabulary: Int) throws {
        let sides = [("source", source, sourceVocabulary), ("target", target, targetVocabulary)]
        let writer = try TensorFileWriter(
            path: path,
            tensors: sides.flatMap { name, sequences, vocabulary in
                [
                    (name: "\(name).tokens", type: Self.type(vocabulary), shape: [sequences.ids.count]),
                    (name: "\(name).offsets", type: ElementType.i64, shape: [sequences.offsets.count]),
                ]
            })
        for (name, sequences, vocabulary) in sides {
            if Self.type(vocabulary) == .u16 {
                try writer.write("\(name).tokens", sequences.ids.map { UInt16($0) })
            } else {
                try writer.write("\(name).tokens", sequences.ids)
            }
            try writer.write("\(name).offsets", sequences.offsets)
        }
        try writer.finish()
    }

    private static func type(_ vocabulary: Int) -> ElementType { vocabulary <= 65_536 ? .u16 : .i32 }

    private static func sequences(_ name: String, in file: TensorFile, vocabulary: Int) throws -> TokenSequences {
        let offsets = try file.integers("\(name).offsets")
        let type = try file.info("\(name).tokens").type
        let ids: [Int32] =
            type == .u16
            ? try file.view("\(name).tokens", as: UInt16.self).map(Int32.init)
            : Array(try file.view("\(name).tokens", as: Int32.self))
        guard offsets.first == 0, offsets.last == ids.count, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw DataError(
                path: file.path, expected: "'\(name).offsets' rising from 0 to \(ids.count)", found: "otherwise")
        }
        if let wrong = ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
            throw DataError(path: file.path, expected: "ids below \(vocabulary) in '\(name).tokens'", found: "\(wrong)")
        }
        return TokenSequences(ids: ids, offsets: offsets)
    }
}
