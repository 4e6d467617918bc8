import Foundation
import Testing

@testable import Scoring

/// What sacreBLEU, NumPy and NLTK said; `Golden/generate.py` writes it and names their versions.
struct Golden: Decodable {
    struct Corpus: Decodable {
        /// None when the texts are in files of the corpus's name.
        let hypotheses: [String]?
        let references: [String]?
        let resamples: Int
        let metrics: [String: Expectation]
    }

    struct Expectation: Decodable {
        let name: String
        let score: Double
        let signature: String
        let bleu: Components?
        let mean: Double?
        let ci: Double?
        let signature_ci: String?
    }

    /// A corpus under more metrics, with one or more references.
    struct Several: Decodable {
        let hypotheses: Text
        let references: [Text]
        let resamples: Int
        let metrics: [String: Expectation]
        let statistics: [String: [String]]?
    }

    /// Lines, or the name of the file that has them.
    struct Text: Decodable {
        let lines: [String]

        init(from decoder: Decoder) throws {
            let container = try decoder.singleValueContainer()
            lines = try (try? container.decode([String].self)) ?? Golden.lines(container.decode(String.self))
        }
    }

    struct Components: Decodable {
        let counts: [Int]
        let totals: [Int]
        let precisions: [Double]
        let bp: Double
        let ratio: Double
        let sys_len: Int
        let ref_len: Int
        let text: String
    }

    struct Paired: Decodable {
        struct System: Decodable, Equatable {
            let score: Double
            let p: Double?
            let mean: Double?
            let ci: Double?
        }
        let kind: String
        let trials: Int
        let seed: UInt64
        let signatures: [String: String]
        let results: [String: [System]]
    }

    struct Draws: Decodable {
        let seed: String
        let raw: [String]
        let integers: [String: [Int]]
        let heads: [[Int]]
    }

    struct Mean: Decodable {
        let values: [Double]
        let pairwise: Double
        let pairwise_single: Double
        let exact: Double
    }

    let corpora: [String: Corpus]
    let statistics: [String: [String: [String]]]
    let paired: [Paired]
    let paired_scarce: [Paired]
    let printed: [String: String]
    let paper_compat: [String: Double]
    let draws: [Draws]
    let means: [Mean]
    let several: [String: Several]
    let paired_several: [Paired]
    let characters: [String: String]

    static let expected = try! JSONDecoder().decode(Golden.self, from: Data(contentsOf: file("expected.json")))

    /// Line, its 13a tokens, its lower case.
    static let strings = try! JSONDecoder().decode([[String]].self, from: Data(contentsOf: file("strings.json")))

    /// Line, its tokens by char, intl and zh.
    static let tokens = try! JSONDecoder().decode([[String]].self, from: Data(contentsOf: file("tokens.json")))

    static func file(_ name: String) -> URL { Bundle.module.resourceURL!.appendingPathComponent("Golden/\(name)") }

    static func lines(_ name: String) -> [String] { try! SegmentLines.split(Data(contentsOf: file(name)), path: name) }

    static func content(_ name: String) -> String { try! String(contentsOf: file(name), encoding: .utf8) }

    /// The characters of a kind: see `characters` in the generator.
    static func characters(_ kind: String) -> Set<UInt32> {
        let ranges = expected.characters[kind]!.split(separator: " ").map { range in
            range.split(separator: "-").map { UInt32($0, radix: 16)! }
        }
        return Set(ranges.flatMap { $0[0]...$0[1] })
    }

    /// Hypotheses and references of a corpus.
    static func texts(_ name: String) -> ([String], [String]) {
        let corpus = expected.corpora[name]!
        return (corpus.hypotheses ?? lines("\(name).a"), corpus.references ?? lines("\(name).references"))
    }
}

/// The metric that the generator calls by this label.
func metric(_ label: String) -> any CorpusMetric {
    switch label {
    case "BLEU": BLEU()
    case "BLEU lc": BLEU(lowercase: true)
    case "BLEU none": BLEU(tokenizer: .none)
    case "BLEU char": BLEU(tokenizer: .char)
    case "BLEU intl": BLEU(tokenizer: .intl)
    case "BLEU zh": BLEU(tokenizer: .zh)
    case "BLEU intl lc": BLEU(lowercase: true, tokenizer: .intl)
    case "BLEU eff": BLEU(effectiveOrder: true)
    case "chrF2": CHRF()
    case "chrF2 lc": CHRF(lowercase: true)
    case "chrF2+": CHRF(wordOrder: 1)
    case "chrF2++": CHRF(wordOrder: 2)
    case "chrF1": CHRF(beta: 1)
    case "chrF2 nc3": CHRF(characterOrder: 3)
    case "chrF0": CHRF(beta: 0)
    case "chrF3++ lc nc4": CHRF(characterOrder: 4, wordOrder: 2, beta: 3, lowercase: true)
    default: fatalError("no metric is called \(label)")
    }
}

/// The tokens of a line, joined by single spaces, as sacreBLEU's tokenizers give them.
func tokens(_ line: String, _ tokenizer: BLEU.Tokenizer) -> String {
    var bytes = Array(line.utf8)
    PythonText.stripEnd(&bytes)
    bytes = tokenizer.spaced(bytes)
    var words: [ArraySlice<UInt8>] = []
    PythonText.forEachWord(in: bytes) { words.append(bytes[$0]) }
    return String(decoding: Array(words.joined(separator: [UInt8(ascii: " ")])), as: UTF8.self)
}

/// Compares two texts byte by byte (Swift's == compares by canonical equivalence) and shows the first place where they
/// part.
func expectSame(
    _ found: String, _ expected: String, _ context: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    let (ours, theirs) = (Array(found.utf8), Array(expected.utf8))
    guard ours != theirs else { return }
    let first = zip(ours, theirs).enumerated().first { $1.0 != $1.1 }?.offset ?? min(ours.count, theirs.count)
    Issue.record(
        "\(context): byte \(first) differs\n   found \(found.debugDescription)\nexpected \(expected.debugDescription)",
        sourceLocation: sourceLocation)
}
