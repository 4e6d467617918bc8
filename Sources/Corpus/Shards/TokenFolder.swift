import Foundation
import Tensors

/// Parts of a corpus.
package enum Split: String, CaseIterable, Codable, Sendable {
    case train, valid, test
}

/// A folder that `tokenize` made, opened for reading.
package struct TokenFolder: Sendable {
    package static let stage = "tokenize"

    package let path: String
    package var configuration: TokensConfiguration { files.configuration }
    package var publication: Publication { files.publication }
    package let source: Vocabulary
    package let target: Vocabulary
    private let files: PublishedFolder<TokensConfiguration>

    package init(path: String) throws {
        self.path = path
        files = try PublishedFolder(path, stage: Self.stage)
        let settings = files.configuration
        source = try Self.vocabulary(files, .source, settings.sourceVocabularySize)
        target = settings.joint ? source : try Self.vocabulary(files, .target, settings.targetVocabularySize)
    }

    /// The ids of a split, checked.
    package func shard(_ split: Split) throws -> TokenShard {
        try TokenShard(
            path: files.file("\(split.rawValue).safetensors"), sourceVocabulary: source.count,
            targetVocabulary: target.count)
    }

    /// Sentences of a split.
    package func count(_ split: Split) -> Int { configuration.splits[split.rawValue]?.kept ?? 0 }

    /// What is learnt from or measured on no sentences at all looks perfect.
    package func requireSentences(_ split: Split) throws {
        guard count(split) == 0 else { return }
        throw DataError(
            path: path, expected: "at least one sentence pair in \(split.rawValue)", found: "none",
            hint: "tokenize with files for \(split.rawValue), or hold pairs out for it")
    }

    /// Names a file's content.
    package func sha256(_ name: String) -> String? { files.sha256(name) }

    /// Names the text of `valid` or `test` on one side.
    package func textSHA256(_ split: Split, _ side: Side) -> String? { files.sha256(Self.textName(split, side)) }

    /// The text of `valid` or `test`: line i belongs to sentence i of the shard.
    package func lines(_ split: Split, _ side: Side) throws -> [String] {
        let path = try files.file(Self.textName(split, side))
        return try TextLines.written(FileSystem.read(path), path: path)
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
