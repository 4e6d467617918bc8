import Foundation
import Tensors
import Testing

@testable import Corpus

@Suite struct PhrasebookTests {
    static let folder = Fixtures.root + "/data/phrasebook"

    @Test func isTheSameEverywhere() throws {
        let triples = try Phrasebook(folder: Self.folder, through: InputFiles()).triples(20_000)
        let text = triples.map { "\($0.english)\t\($0.german)\t\($0.french)\n" }.joined()
        // SHA-256 of the 20,000 lines; changes whenever a table or a rule does.
        #expect(
            FileSystem.sha256(Data(text.utf8)) == "d956afaedd101363b3b772a0eedb5a5a2201c990c7b45b27c8dded5c5bc508da")
    }

    @Test func splitsShareNoSentence() throws {
        let splits = try Phrasebook(folder: Self.folder, through: InputFiles()).splits(
            source: "de", target: "fr", train: 1800, valid: 100, test: 100)
        #expect(Split.allCases.map { splits[$0]!.count } == [1800, 100, 100])
        let sources = splits.values.flatMap(\.source)
        let targets = splits.values.flatMap(\.target)
        #expect(Set(sources).count == 2000)
        #expect(Set(targets).count == 2000)
    }

    /// Draws without the filter that keeps the corpus distinct: equal in one language must mean equal in all.
    @Test func everySentenceHasOneTranslation() throws {
        var grammar = SentenceGrammar(
            lexicon: try Lexicon(folder: Self.folder, through: InputFiles()),
            choices: try Choices(folder: Self.folder, through: InputFiles()), seed: 7)
        var known: [String: [String: Phrasebook.Triple]] = [:]
        for _ in 0..<25_000 {
            guard let triple = grammar.triple() else { continue }
            for language in Phrasebook.languages {
                let sentence = triple[language]!
                let earlier = known[language, default: [:]].updateValue(triple, forKey: sentence)
                if let earlier, earlier != triple {
                    Issue.record("\(sentence) has two translations: \(earlier), \(triple)")
                }
            }
        }
        #expect(known["en"]!.count > 10_000)
    }

    @Test func sentencesAreFourToTwentyWords() throws {
        for triple in try Phrasebook(folder: Self.folder, through: InputFiles()).triples(2000) {
            for sentence in triple.all { #expect((4...20).contains(sentence.split(separator: " ").count)) }
        }
    }

    @Test func refusesWhatItCannotSpeak() throws {
        let phrasebook = try Phrasebook(folder: Self.folder, through: InputFiles())
        #expect(throws: DataError.self) { try phrasebook.splits(source: "en", target: "it") }
        #expect(throws: DataError.self) { try phrasebook.splits(source: "en", target: "en") }
        #expect(throws: DataError.self) { try Phrasebook(folder: "/nowhere", through: InputFiles()) }
    }

    @Test func aColumnThatStandsTwiceIsRefused() throws {
        try Fixtures.withFolder { folder in
            _ = try Fixtures.write("en\tde\ten\ncat\tKatze\tcat\n".utf8, folder, "nouns.tsv")
            let error = #expect(throws: DataError.self) {
                try WordTable(folder, InputFiles(), "nouns.tsv", columns: ["en", "de"])
            }
            #expect(error?.found == "'en' twice")
        }
    }
}
