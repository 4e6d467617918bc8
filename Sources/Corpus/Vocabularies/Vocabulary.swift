import Foundation
import Tensors

/// Which side of a sentence pair.
public enum Side: String, CaseIterable, Codable, Sendable {
    case source, target
}

/// Text to ids and back.
///
/// Ids 0, 1 and 2 are `<unk>`, `<s>` and `</s>` in every vocabulary; there is none for padding, since nothing is
/// padded. `encode` yields none of 1 and 2: whoever needs sentence marks adds them. A vocabulary is only read and may
/// be used from several threads.
public struct Vocabulary: Sendable {
    public static let unknown = 0
    public static let start = 1
    public static let end = 2

    enum Content: Sendable {
        case sentencePiece(SentencePieceModel)
        case words(WordModel)
    }

    let content: Content

    /// How many ids there are.
    public var count: Int {
        switch content {
        case .sentencePiece(let model): model.count
        case .words(let model): model.count
        }
    }

    /// The piece or word as it is stored; U+2581 stands for a space.
    public func piece(_ id: Int) -> String {
        switch content {
        case .sentencePiece(let model): model.piece(id)
        case .words(let model): model.piece(id)
        }
    }

    public func encode(_ text: String) -> [Int] {
        switch content {
        case .sentencePiece(let model): model.encode(text)
        case .words(let model): model.encode(text)
        }
    }

    /// Plain text as it is written, punctuation and spaces in place. Sentence marks disappear; ids out of range count
    /// as unknown.
    public func decode(_ ids: [Int]) -> String {
        let inner = ids.compactMap {
            $0 == Self.start || $0 == Self.end ? nil : (0..<count).contains($0) ? $0 : Self.unknown
        }
        return switch content {
        case .sentencePiece(let model): model.decode(inner)
        case .words(let model): model.decode(inner)
        }
    }
}

// MARK: - Files

extension Vocabulary {
    /// `source.model` is what is read again: a standard SentencePiece model, or the list of words. `source.vocab` is
    /// the same for people, one entry a line with its log-probability or frequency.
    public static func fileNames(_ side: Side) -> [String] { ["\(side.rawValue).model", "\(side.rawValue).vocab"] }

    /// Reads `source.model` or `target.model`.
    public static func load(path: String) throws -> Vocabulary {
        let bytes = try FileSystem.read(path)
        if WordModel.isOne(bytes) { return Vocabulary(content: .words(try WordModel(bytes, path: path))) }
        return Vocabulary(content: .sentencePiece(try SentencePieceModel(bytes, path: path)))
    }

    /// Content of the two files of `fileNames`.
    var files: (model: Data, listing: Data) {
        switch content {
        case .sentencePiece(let model): (Data(model.bytes), Data(model.listing.utf8))
        case .words(let model): (Data(model.text.utf8), Data(model.listing.utf8))
        }
    }

    func write(side: Side, to path: (String) throws -> String) throws {
        let names = Self.fileNames(side)
        try FileSystem.writeAtomically(files.model, to: try path(names[0]))
        try FileSystem.writeAtomically(files.listing, to: try path(names[1]))
    }
}
