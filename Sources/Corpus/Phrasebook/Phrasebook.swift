import Tensors

/// A small corpus that comes with the project: sentences in English, German and French that a grammar makes up, the
/// same ones in every run on every machine.
///
/// The three sentences of a triple are realized from one tree. Within the corpus each sentence of a language belongs to
/// one triple, so that translation between any two of the languages, in either direction, has one right answer.
public struct Phrasebook: Sendable {
    public static let languages = ["en", "de", "fr"]
    public struct Triple: Equatable, Sendable {
        public let english: String
        public let german: String
        public let french: String

        public subscript(language: String) -> String? {
            switch language {
            case "en": english
            case "de": german
            case "fr": french
            default: nil
            }
        }

        var all: [String] { [english, german, french] }
    }

    private let folder: String
    private let lexicon: Lexicon
    private let choices: Choices

    /// - Parameters:
    ///   - folder: that of the tables, `data/phrasebook` in the project.
    ///   - files: told which tables are read
    public init(folder: String, through files: InputFiles) throws {
        self.folder = folder
        lexicon = try Lexicon(folder: folder, through: files)
        choices = try Choices(folder: folder, through: files)
    }

    /// The first `count` triples, which are also the first of any larger number.
    ///
    /// Sentences have 4 to 20 words in each language. Throws when the tables are too small to yield that many.
    public func triples(_ count: Int, seed: UInt64 = 1) throws -> [Triple] {
        var grammar = SentenceGrammar(lexicon: lexicon, choices: choices, seed: seed)
        var seen = (english: Set<String>(), german: Set<String>(), french: Set<String>())
        var triples: [Triple] = []
        var draws = 0
        while triples.count < count {
            draws += 1
            // the more are known, the more draws are of known ones; long before there is none left they are too many
            guard draws <= 1000 + 50 * (triples.count + 1) else {
                throw DataError(
                    path: folder, expected: "words for \(count) sentences", found: "enough for \(triples.count)")
            }
            guard let triple = grammar.triple(),
                triple.all.allSatisfy({ (4...20).contains($0.split(separator: " ").count) }),
                !seen.english.contains(triple.english), !seen.german.contains(triple.german),
                !seen.french.contains(triple.french)
            else { continue }
            seen.english.insert(triple.english)
            seen.german.insert(triple.german)
            seen.french.insert(triple.french)
            triples.append(triple)
        }
        return triples
    }

    /// Sentence pairs for training, validation and test; no sentence of either language is in two of them.
    public func splits(
        source: String, target: String, train: Int = 18_000, valid: Int = 1000, test: Int = 1000, seed: UInt64 = 1
    ) throws -> [Split: ParallelText] {
        guard source != target, Self.languages.contains(source), Self.languages.contains(target) else {
            throw DataError(
                path: folder, expected: "two of the languages \(Self.languages.joined(separator: ", "))",
                found: "\(source)-\(target)")
        }
        var splits: [Split: ParallelText] = [.train: .init(), .valid: .init(), .test: .init()]
        for (index, triple) in try triples(train + valid + test, seed: seed).enumerated() {
            let split: Split = index < train ? .train : index < train + valid ? .valid : .test
            splits[split]!.append(source: triple[source]!, target: triple[target]!)
        }
        return splits
    }
}

extension SentenceGrammar {
    /// The next draw in three languages, nil if it led nowhere.
    mutating func triple() -> Phrasebook.Triple? {
        sentence().map {
            Phrasebook.Triple(
                english: EnglishRealizer().sentence($0), german: GermanRealizer().sentence($0),
                french: FrenchRealizer().sentence($0))
        }
    }
}
