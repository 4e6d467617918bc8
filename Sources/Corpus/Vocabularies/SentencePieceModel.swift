import CSentencePiece
import Foundation
import Tensors

/// A SentencePiece model, learnt here or elsewhere, with the special ids of `Vocabulary`.
///
/// Safe to share: the C++ model is only read after it was opened.
final class SentencePieceModel: @unchecked Sendable {
    /// The standard `.model` file.
    let bytes: [UInt8]
    let count: Int
    private let handle: OpaquePointer

    init(_ bytes: [UInt8], path: String) throws {
        func unusable(_ found: String) -> DataError {
            DataError(
                path: path, expected: "a SentencePiece model", found: found, hint: "make it again with tokenize --force"
            )
        }
        if let problem = NormalizationTable.problem(bytes) { throw unusable(problem) }
        var message = [CChar](repeating: 0, count: 512)
        guard let handle = sp_open(bytes, bytes.count, &message, message.count) else {
            throw unusable(Self.text(message))
        }
        self.bytes = bytes
        self.handle = handle
        count = Int(sp_count(handle))
        for (id, name) in ["<unk>", "<s>", "</s>"].enumerated() where token(id) != name {
            throw DataError(
                path: path, expected: "'\(name)' with id \(id)", found: "'\(token(id))'",
                hint: "make it again with tokenize --force")
        }
    }

    deinit { sp_close(handle) }

    func token(_ id: Int) -> String {
        var length = 0
        guard let start = sp_piece(handle, Int32(clamping: id), &length) else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }

    func encode(_ text: String) -> [Int] {
        var text = text
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                // A piece covers at least a byte, apart from the space before the sentence; normalization may lengthen
                // the text.
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: characters.count + 16) { ids in
                    let count = sp_encode(handle, characters.baseAddress, characters.count, ids.baseAddress, ids.count)
                    if count <= ids.count { return ids[..<max(count, 0)].map(Int.init) }
                    var all = [Int32](repeating: 0, count: count)
                    sp_encode(handle, characters.baseAddress, characters.count, &all, count)
                    return all.map(Int.init)
                }
            }
        }
    }

    /// Every id must be in range.
    func decode(_ ids: [Int]) -> String {
        let ids = ids.map(Int32.init)
        let length = sp_decode(handle, ids, ids.count, nil, 0)
        guard length > 0 else { return "" }
        return String(unsafeUninitializedCapacity: length) { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                max(0, sp_decode(handle, ids, ids.count, $0.baseAddress, length))
            }
        }
    }

    /// `piece<tab>score` lines, as `spm_train` writes them.
    var listing: String {
        (0..<count).map { "\(token($0))\t\(sp_score(handle, Int32($0)))\n" }.joined()
    }

    /// SentencePiece's message without the place in its source and the condition, `file(line) [condition] message`.
    private static func text(_ message: [CChar]) -> String {
        let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        let plain = text.range(of: "] ", options: .backwards).map { String(text[$0.upperBound...]) } ?? text
        return plain.isEmpty ? "something unreadable" : plain
    }
}

// MARK: - Learning

extension SentencePieceModel {
    /// Learns with one thread, since the order of floating-point sums would otherwise depend on the machine.
    static func learn(from lines: [String], _ settings: VocabularySettings, name: String) throws -> SentencePieceModel {
        var text: [CChar] = []
        var ends: [Int] = []
        for line in lines where !line.isEmpty {
            text.append(contentsOf: line.utf8.lazy.map { CChar(bitPattern: $0) })
            ends.append(text.count)
        }
        guard !ends.isEmpty else {
            throw DataError(path: name, expected: "text to learn a vocabulary from", found: "none")
        }
        var model: UnsafeMutablePointer<UInt8>?
        var length = 0
        var message = [CChar](repeating: 0, count: 512)
        let status = sp_train(options(settings), text, ends, ends.count, &model, &length, &message, message.count)
        defer { sp_release(model) }
        guard status == 0, let model else {
            throw failure(self.text(message), settings, name: name)
        }
        return try SentencePieceModel(Array(UnsafeBufferPointer(start: model, count: length)), path: name)
    }

    /// SentencePiece speaks of options of its own programs.
    private static func failure(_ message: String, _ settings: VocabularySettings, name: String) -> DataError {
        if message.contains("bad_alloc") || message.contains("out of memory") {
            return DataError(
                path: name, expected: "memory to learn \(settings.size) pieces in", found: "none left",
                hint: "raise the limit (ulimit -v), or learn from less text", kind: .system)
        }
        let numbers = message.split { !$0.isNumber }.compactMap { Int($0) }
        if message.lowercased().contains("vocabulary size"), let most = numbers.last {
            return DataError(
                path: name, expected: "text for \(settings.size) pieces",
                found: "text that asks for another number, \(most)",
                hint: "--vocabulary-size \(most), or --vocabulary word")
        }
        return DataError(
            path: name, expected: "text for \(settings.size) pieces",
            found: "none that can be learnt from (lines over 65,536 bytes are not): \(Excerpt.line(message))",
            hint: "choose another --vocabulary-size, or --vocabulary word")
    }

    private static func options(_ settings: VocabularySettings) -> String {
        [
            "model_type=\(settings.kind == .bpe ? "bpe" : "unigram")",
            "vocab_size=\(settings.size)",
            "hard_vocab_limit=false",
            "character_coverage=\(settings.coverage)",
            "normalization_rule_name=\(settings.normalization)",
            "unk_id=0", "bos_id=1", "eos_id=2", "pad_id=-1",
            "max_sentence_length=65536",
            "num_threads=1",
            "minloglevel=2",
        ].joined(separator: " ")
    }
}
