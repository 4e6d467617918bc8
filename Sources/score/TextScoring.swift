import ArgumentParser
import Scoring
import Foundation
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
        let texts = try TextLines.readPair(hypotheses: hypotheses, references: references)
        let report = try ScoreReport(
            hypotheses: texts.hypotheses, references: texts.references, bootstrap: bootstrap > 0 ? Bootstrap(resamples: bootstrap) : nil)
        guard let baseline else { return print(json ? report.json() : report.text()) }
        let base = try TextLines.readPair(hypotheses: baseline, references: references).hypotheses
        let test = PairedTest(.bootstrap)
        let results = [
            (metric: "BLEU", result: try test.compare(BLEU(), baseline: base, system: texts.hypotheses, references: texts.references)),
            (metric: "chrF2", result: try test.compare(CHRF(), baseline: base, system: texts.hypotheses, references: texts.references)),
        ]
        guard !json else {
            return print(PairedReport(baseline: baseline, comparisons: [.init(system: hypotheses, results: results)]).json())
        }
        print(report.text())
        for (metric, result) in results {
            print(String(format: "%@ %+.2f against %@, p = %.4f (paired bootstrap)", metric, result.system.score - result.baseline.score, baseline, result.system.p ?? 1))
        }
    }
}

extension ScoringError: StageError {}
