import ArgumentParser
import Corpus
import Foundation
import Scoring
import Stages

/// Two text files, no model.
struct TextScoringOptions: ParsableArguments {
    @Option(help: "Translations, one a line.") var hypotheses: String?
    @Option(help: "Their references.") var references: String?
    @Option(help: "Translations of a baseline, to test the difference against.") var baseline: String?
    @Option(help: "Resamples for confidence intervals; 0: none.") var bootstrap = 0
    @Flag(help: "Print the result as JSON, as sacreBLEU does, with scores in full precision.") var json = false

    func run() throws {
        guard let hypotheses, let references else { return }
        Signals.uninstall()
        let files = InputFiles(), theirs = try files.open("references", references)
        let texts = try Self.pair(try files.open("hypotheses", hypotheses), theirs)
        let report = try ScoreReport(
            hypotheses: texts.hypotheses, references: texts.references,
            bootstrap: bootstrap > 0 ? Bootstrap(resamples: bootstrap) : nil)
        guard let baseline else { return print(json ? report.json() : report.text()) }
        let base = try Self.pair(try files.open("baseline", baseline), theirs).hypotheses
        let test = PairedTest(.bootstrap)
        let results = [
            (
                metric: "BLEU",
                result: try test.compare(BLEU(), baseline: base, system: texts.hypotheses, references: texts.references)
            ),
            (
                metric: "chrF2",
                result: try test.compare(CHRF(), baseline: base, system: texts.hypotheses, references: texts.references)
            ),
        ]
        guard !json else {
            return print(
                PairedReport(baseline: baseline, comparisons: [.init(system: hypotheses, results: results)]).json())
        }
        print(report.text())
        for (metric, result) in results {
            let difference = result.system.score - result.baseline.score
            print(
                String(
                    format: "%@ %+.2f against %@, p = %.4f (paired bootstrap)", metric, difference, baseline,
                    result.system.p ?? 1))
        }
    }

    /// Lines as sacreBLEU reads them, as many of the one file as of the other, and at least one.
    private static func pair(
        _ hypotheses: InputFile, _ references: InputFile
    ) throws -> (
        hypotheses: [String], references: [String]
    ) {
        func lines(_ file: InputFile) throws -> [String] {
            try Scoring.TextLines.split(Data(try file.text), path: file.path)
        }
        let (found, expected) = (try lines(hypotheses), try lines(references))
        guard found.count == expected.count else {
            throw ScoringError.unequalFiles(
                hypotheses: hypotheses.path, found: found.count, references: references.path, expected: expected.count)
        }
        guard !found.isEmpty else { throw ScoringError.emptyFile(path: hypotheses.path) }
        return (found, expected)
    }
}

extension ScoringError: StageError {}
