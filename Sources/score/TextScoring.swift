import ArgumentParser
import Corpus
import Foundation
import Scoring
import Stages

/// Translations in a text file, no model. Options that sacreBLEU has too have its names.
struct TextScoringOptions: ParsableArguments {
    @Option(help: "Translations, one a line.") var hypotheses: String?
    @Option(parsing: .upToNextOption, help: "Their references. Of several files, each has a reference of every line.")
    var references: [String] = []
    @Flag(help: "BLEU without regard to case.") var lowercase = false
    @Option(help: "How BLEU cuts text into tokens.") var tokenize = BLEU.Tokenizer.mteval13a
    @Flag(help: "chrF without regard to case.") var chrfLowercase = false
    @Option(help: "Longest n-gram of characters in chrF.") var chrfCharOrder = 6
    @Option(help: "Longest n-gram of words in chrF; 2 is chrF++.") var chrfWordOrder = 0
    @Option(help: "Recall weighs so many times as much as precision in chrF.") var chrfBeta = 2
    @Option(help: "Translations of a baseline, to test the difference against.") var baseline: String?
    @Flag var test = PairedTest.Method.bootstrap
    @Option(help: "Resamples of the paired bootstrap. (default: 1000)") var pairedBsN: Int?
    @Option(help: "Trials of approximate randomization. (default: 10000)") var pairedArN: Int?
    @Option(help: "Resamples for confidence intervals; 0 or 1: none.") var bootstrap = 0

    /// Beside each other.
    func idleOptions(json: Bool) -> [IdleOptions] {
        guard baseline != nil else {
            let reason = "there is no --baseline to test against"
            return [.init("--paired-bs", "--paired-ar", "--paired-bs-n", "--paired-ar-n", because: reason)]
        }
        let trials: IdleOptions =
            test == .bootstrap
            ? .init("--paired-ar-n", because: "the test is a paired bootstrap; --paired-ar is the other one")
            : .init("--paired-bs-n", because: "the test is by approximate randomization")
        guard json else { return [trials] }
        return [trials, .init("--bootstrap", because: "the JSON of a paired test has no place for its intervals")]
    }

    private var metrics: [any CorpusMetric] {
        [
            BLEU(lowercase: lowercase, tokenizer: tokenize),
            CHRF(characterOrder: chrfCharOrder, wordOrder: chrfWordOrder, beta: chrfBeta, lowercase: chrfLowercase),
        ]
    }

    func run(json: Bool) throws {
        guard let hypotheses else { return }
        Signals.uninstall()
        let files = InputFiles()
        let references = try self.references.map { try ScoredText(files.open("references", $0)) }
        for other in references.dropFirst() { try other.requireLines(of: references[0]) }
        let system = try ScoredText(files.open("hypotheses", hypotheses))
        try system.requireLines(of: references[0])
        let lists = references.map(\.lines)
        let report = try ScoreReport(
            hypotheses: system.lines, references: lists, metrics: metrics,
            bootstrap: bootstrap > 1 ? Bootstrap(resamples: bootstrap) : nil)
        guard let baseline else { return print(json ? report.json() : report.text()) }
        let base = try ScoredText(files.open("baseline", baseline))
        try base.requireLines(of: references[0])
        let comparison = PairedReport.Comparison(
            system: hypotheses,
            results: try metrics.map { metric in
                let result = try pairedTest.compare(
                    metric, baseline: base.lines, system: system.lines, references: lists)
                return (metric: metric.name, result: result)
            })
        guard !json else { return print(PairedReport(baseline: baseline, comparisons: [comparison]).json()) }
        print(report.text())
        for (metric, (_, result)) in zip(metrics, comparison.results) {
            print(pairedTest.line(metric, result, baseline, references: lists.count))
        }
    }

    private var pairedTest: PairedTest { PairedTest(test, trials: test == .bootstrap ? pairedBsN : pairedArN) }
}

extension PairedTest {
    /// The difference to a baseline under one metric.
    func line(_ metric: any CorpusMetric, _ result: PairedResult, _ baseline: String, references: Int) -> String {
        let difference = result.system.score - result.baseline.score
        return "\(metric.name)|\(signature(of: metric, references: references)) "
            + String(
                format: "%+.2f against %@, p = %.4f (%@)", difference, baseline, result.system.p ?? 1, method.words)
    }
}

/// A file's lines, as sacreBLEU reads them.
private struct ScoredText {
    let path: String
    let lines: [String]

    init(_ file: InputFile) throws {
        path = file.path
        lines = try SegmentLines.split(Data(try file.text), path: file.path)
    }

    /// As many as the references, and at least one.
    func requireLines(of references: ScoredText) throws {
        guard lines.count == references.lines.count else {
            throw ScoringError.unequalFiles(
                path: path, found: lines.count, other: references.path, expected: references.lines.count)
        }
        guard !lines.isEmpty else { throw ScoringError.emptyFile(path: path) }
    }
}

extension BLEU.Tokenizer: ExpressibleByArgument {}

extension PairedTest.Method: EnumerableFlag {
    package static func name(for value: Self) -> NameSpecification { .customLong(value.rawValue) }

    package static func help(for value: Self) -> ArgumentHelp? { "Test the difference by \(value.words)." }

    var words: String { self == .bootstrap ? "paired bootstrap" : "approximate randomization" }
}

extension ScoringError: StageError {}
