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
    public var configuration: TokensConfiguration { files.configuration }
    public let source: Vocabulary
    public let target: Vocabulary
    private let files: PublishedFolder<TokensConfiguration>

    public init(path: String) throws {
        self.path = path
        files = try PublishedFolder(path, stage: Self.stage)
        let settings = files.configuration
        source = try Self.vocabulary(files, .source, settings.sourceVocabularySize)
        target = settings.joint ? source : try Self.vocabulary(files, .target, settings.targetVocabularySize)
    }

    public func vocabulary(_ side: Side) -> Vocabulary { side == .source ? source : target }

    /// The ids of a split, checked.
    public func shard(_ split: Split) throws -> TokenShard {
        try TokenShard(
            path: files.file("\(split.rawValue).safetensors"), sourceVocabulary: source.count,
            targetVocabulary: target.count)
    }

    /// Sentences of a split.
    public func count(_ split: Split) -> Int { configuration.splits[split.rawValue]?.kept ?? 0 }

    /// What is learnt from or measured on no sentences at all looks perfect.
    public func requireSentences(_ split: Split) throws {
        guard count(split) == 0 else { return }
        throw DataError(
            path: path, expected: "at least one sentence pair in \(split.rawValue)", found: "none",
            hint: "tokenize with files for \(split.rawValue), or hold pairs out for it")
    }

    /// Names a file's content.
    public func sha256(_ name: String) -> String? { files.sha256(name) }

    /// Names the text of `valid` or `test` on one side.
    public func textSHA256(_ split: Split, _ side: Side) -> String? { files.sha256(Self.textName(split, side)) }

    /// The text of `valid` or `test`: line i belongs to sentence i of the shard.
    public func lines(_ split: Split, _ side: Side) throws -> [String] {
        let path = try files.file(Self.textName(split, side))
        return try TextLines.split(FileSystem.read(path), path: path)
    }

    private static func textName(_ split: Split, _ side: Side) -> String { "\(split.rawValue).\(side.rawValue).txt" }

    private static func vocabulary(
        _ files: PublishedFolder<TokensConfiguration>, _ side: Side, _ size: Int
    ) throws
        -> Vocabulary
    {
        let path = try files.file(Vocabulary.fileNames(side)[0]), vocabulary = try Vocabulary.load(path: path)
        guard vocabulary.count == size else {
            throw DataError(path: path, expected: "\(size) entries", found: "\(vocabulary.count)")
        }
        return vocabulary
    }
}
