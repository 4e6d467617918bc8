import Foundation
import Tensors

/// Parts of a corpus.
public enum Split: String, CaseIterable, Codable, Sendable {
    case train, valid, test
}

/// A folder that `tokenize` made, opened for reading.
public struct TokenFolder: Sendable {
    public static let stage = "tokenize"

    public let path: String
    public let configuration: TokensConfiguration
    public let source: Vocabulary
    public let target: Vocabulary

    public init(path: String) throws {
        self.path = path
        configuration = try Manifest<TokensConfiguration>.read(folder: path, stage: Self.stage).configuration
        source = try Self.vocabulary(path, .source, configuration.sourceVocabularySize)
        target = configuration.joint ? source : try Self.vocabulary(path, .target, configuration.targetVocabularySize)
    }

    public func vocabulary(_ side: Side) -> Vocabulary { side == .source ? source : target }

    /// The ids of a split, checked.
    public func shard(_ split: Split) throws -> TokenShard {
        try TokenShard(
            path: file("\(split.rawValue).safetensors"), sourceVocabulary: source.count, targetVocabulary: target.count)
    }

    /// The text of `valid` or `test`: line i belongs to sentence i of the shard.
    public func lines(_ split: Split, _ side: Side) throws -> [String] {
        try TextLines.read(textPath(split, side))
    }

    public func textPath(_ split: Split, _ side: Side) -> String { file("\(split.rawValue).\(side.rawValue).txt") }

    private func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

    private static func vocabulary(_ folder: String, _ side: Side, _ size: Int) throws -> Vocabulary {
        let vocabulary = try Vocabulary.load(folder: folder, side: side)
        guard vocabulary.count == size else {
            throw DataError(
                path: (folder as NSString).appendingPathComponent(Vocabulary.fileNames(side)[0]),
                expected: "\(size) entries", found: "\(vocabulary.count)")
        }
        return vocabulary
    }
}
