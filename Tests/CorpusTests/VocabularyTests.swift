import Foundation
import Tensors
import Testing

@testable import Corpus

@Suite struct VocabularyTests {
    static let lines = [
        "The old king sees the black dog.", "The black dog sees the old king.", "A dog isn't a king, is it?",
        "L'homme voit l'oiseau aujourd'hui !", "Der Hund (schwarz) schläft: 3,5 Stunden.", "Grand-mère dit « oui ».",
    ]

    static let all: [VocabularySettings] = [
        .init(kind: .bpe, size: 80), .init(kind: .unigram, size: 60), .init(kind: .word, size: 0, minimumFrequency: 1),
    ]

    /// SentencePiece itself would read wherever the table of normalization leads.
    @Test func aTableThatLeadsNowhereIsRefused() throws {
        let whole = try SentencePieceModel.learn(from: Self.lines, .init(kind: .bpe, size: 80), name: "test").bytes
        let name = Array("nmt_nfkc".utf8) + [0x12]  // then come the table's length, the trie's, and the trie
        let length = try #require(whole.indices.first { whole[$0...].starts(with: name) }) + name.count
        let table = try #require(whole[length...].firstIndex { $0 < 0x80 }) + 1
        for (place, bytes) in [(table, [0xFF, 0xFF, 0xFF, 0]), (table, [0, 0, 0, 0]), (table + 4, [0, 0, 0, 0x7F])] {
            var damaged = whole
            damaged.replaceSubrange(place..<place + 4, with: bytes.map(UInt8.init))
            #expect { try SentencePieceModel(damaged, path: "x") } throws: {
                "\($0)" == "x: expected a SentencePiece model, found a damaged table of normalization"
            }
        }
    }

    @Test func aModelWithOtherSpecialTokensIsRefused() throws {
        var model = try SentencePieceModel.learn(from: Self.lines, .init(kind: .bpe, size: 80), name: "test").bytes
        let place = try #require(model.indices.first { model[$0...].starts(with: "<s>".utf8) })
        model[place + 1] = UInt8(ascii: "t")
        for _ in 0..<10 {
            #expect { try SentencePieceModel(model, path: "x") } throws: {
                "\($0)" == "x: expected '<s>' with id 1, found '<t>'"
            }
        }
    }

    @Test(arguments: all) func restoresText(_ settings: VocabularySettings) throws {
        let vocabulary = try Vocabulary.learn(from: Self.lines, settings, name: "test")
        for line in Self.lines {
            let ids = vocabulary.encode(line)
            #expect(ids.allSatisfy { (3..<vocabulary.count).contains($0) })
            #expect(vocabulary.decode(ids) == line)
            #expect(vocabulary.decode([Int(SpecialToken.start)] + ids + [Int(SpecialToken.end)]) == line)
        }
        #expect(vocabulary.encode("") == [])
        #expect(vocabulary.decode([]) == "")
    }

    @Test(arguments: all) func survivesAFile(_ settings: VocabularySettings) throws {
        let vocabulary = try Vocabulary.learn(from: Self.lines, settings, name: "test")
        let again = try Vocabulary.learn(from: Self.lines, settings, name: "test")
        #expect(vocabulary.files.model == again.files.model, "the same text must give the same bytes")
        try Fixtures.withFolder { folder in
            try vocabulary.write(side: .target) { folder + "/" + $0 }
            let read = try Vocabulary.load(path: folder + "/target.model")
            #expect(read.count == vocabulary.count)
            #expect((0..<read.count).map(read.token) == (0..<read.count).map(vocabulary.token))
            #expect(Self.lines.map(read.encode) == Self.lines.map(vocabulary.encode))
            let listing = try Fixtures.open(folder + "/target.vocab").lines
            #expect(listing.count == vocabulary.count)
            #expect(listing[0].hasPrefix("<unk>\t"))
        }
    }

    @Test(arguments: all) func hasTheSpecialIdsFirst(_ settings: VocabularySettings) throws {
        let vocabulary = try Vocabulary.learn(from: Self.lines, settings, name: "test")
        #expect((0..<3).map(vocabulary.token) == ["<unk>", "<s>", "</s>"])
        #expect(vocabulary.encode("☃").contains(Int(SpecialToken.unknown)))
        // Whatever ids a model makes up, decoding answers.
        #expect(vocabulary.decode([-1, 0, 1_000_000]).isEmpty == false)
    }

    @Test func refusesWhatIsNoModel() throws {
        try Fixtures.withFolder { folder in
            for (name, text) in [
                ("a", "no model"), ("b", ""), ("c", "#words 1 lowercase=false\n<unk>\t0\n<s>\t0\n</s>\t0\na\n"),
            ] {
                let path = try Fixtures.write(text, folder, name)
                #expect(throws: DataError.self, "\(name)") { try Vocabulary.load(path: path) }
            }
        }
    }

    @Test func refusesTooFewPiecesForTheCharacters() {
        for kind in [VocabularySettings.Kind.bpe, .unigram] {
            #expect(throws: DataError.self) {
                try Vocabulary.learn(from: Self.lines, .init(kind: kind, size: 10), name: "x")
            }
            #expect(throws: DataError.self) {
                try Vocabulary.learn(from: ["", ""], .init(kind: kind, size: 10), name: "x")
            }
        }
    }

    @Test func rareWordsAreUnknown() throws {
        let vocabulary = try Vocabulary.learn(from: ["b b a", "c a a"], .init(kind: .word, size: 0), name: "x")
        #expect((3..<vocabulary.count).map(vocabulary.token) == ["a", "b"])
        #expect(vocabulary.encode("a c b") == [3, 0, 4])
        #expect(vocabulary.decode([3, 0, 4]) == "a <unk> b")
    }

    @Test func aVocabularyWithoutWordsIsRefused() {
        let error = #expect(throws: DataError.self) {
            try Vocabulary.learn(from: ["a b"], .init(kind: .word, size: 0, minimumFrequency: 2), name: "x")
        }
        #expect(error?.expected == "words that occur 2 times or more")
    }

    @Test func lowerCase() throws {
        let vocabulary = try Vocabulary.learn(from: ["Ab aB"], .init(kind: .word, size: 0, lowercase: true), name: "x")
        #expect(vocabulary.encode("AB ab") == [3, 3])
    }
}

@Suite struct WordTokensTests {
    @Test(arguments: [
        ("A dog isn't here.", ["A", "dog", "isn't", "here", "."]), ("l'homme", ["l'", "homme"]),
        ("qu'il", ["qu'", "il"]),
        ("aujourd'hui", ["aujourd'hui"]), ("Est-ce que ?", ["Est-ce", "que", "\u{2581}?"]),
        ("3,5 %", ["3,5", "\u{2581}%"]),
        ("(a) b", ["(", "a", ")", "b"]), ("a-", ["a", "\u{FFED}-"]), ("", []),
        ("\"a\"", ["\"", "\u{FFED}a", "\u{FFED}\""]),
    ])
    func splits(_ text: String, _ tokens: [String]) {
        #expect(WordTokens.split(text) == tokens)
        #expect(WordTokens.join(tokens) == text)
    }

    /// Every text of up to 5 characters from an alphabet of troublemakers.
    @Test func joinUndoesSplit() {
        let alphabet = ["a", "b", "'", "-", ".", "(", " ", "\"", "\u{301}"]
        var texts = [""]
        for _ in 0..<5 {
            texts = texts.flatMap { text in alphabet.map { text + $0 } }
            for text in texts where !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.contains("  ") {
                if WordTokens.join(WordTokens.split(text)) != text {
                    Issue.record("\(text): \(WordTokens.split(text))")
                }
            }
        }
    }
}
