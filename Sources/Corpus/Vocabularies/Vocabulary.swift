import Foundation
import Tensors

/// Which side of a sentence pair.
package enum Side: String, CaseIterable, Codable, Sendable {
    case source, target
}

/// Text to ids and back.
///
/// Ids 0, 1 and 2 are `<unk>`, `<s>` and `</s>` in every vocabulary; there is none for padding, since nothing is
/// padded. `encode` yields none of 1 and 2: whoever needs sentence marks adds them. A vocabulary is only read and may
/// be used from several threads.
package struct Vocabulary: Sendable {
    enum Content: Sendable {
        case sentencePiece(SentencePieceModel)
        case words(WordModel)
    }

    let content: Content

    /// How many ids there are.
    package var count: Int {
        switch content {
        case .sentencePiece(let model): model.count
        case .words(let model): model.count
        }
    }

    /// The piece or word as it is stored; U+2581 stands for a space.
    package func token(_ id: Int) -> String {
        switch content {
        case .sentencePiece(let model): model.token(id)
        case .words(let model): model.token(id)
        }
    }

    package func encode(_ text: String) -> [Int] {
        switch content {
        case .sentencePiece(let model): model.encode(text)
        case .words(let model): model.encode(text)
        }
    }

    /// Plain text as it is written, punctuation and spaces in place. Sentence marks disappear; ids out of range count
    /// as unknown.
    package func decode(_ ids: [Int]) -> String {
        let marks = [Int(SpecialToken.start), Int(SpecialToken.end)]
        let inner = ids.filter { !marks.contains($0) }
            .map { (0..<count).contains($0) ? $0 : Int(SpecialToken.unknown) }
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
    package static func fileNames(_ side: Side) -> [String] { ["\(side.rawValue).model", "\(side.rawValue).vocab"] }

    /// Reads `source.model` or `target.model`.
    package static func load(path: String) throws -> Vocabulary {
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

    /// Writes the two files of `fileNames`.
    package func write(side: Side, to path: (String) throws -> String) throws {
        let names = Self.fileNames(side)
        try FileSystem.writeAtomically(files.model, to: try path(names[0]))
        try FileSystem.writeAtomically(files.listing, to: try path(names[1]))
    }
}
