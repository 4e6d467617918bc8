import Foundation
import Testing

@testable import Scoring

/// Printed reports against what sacreBLEU's command line prints, character for character.
@Suite struct ReportTests {
    private func report(_ system: String, _ bootstrap: Bootstrap? = nil) throws -> ScoreReport {
        let corpus = system.prefix { $0 != "." }
        let (hypotheses, references) = (Golden.lines(system), Golden.lines("\(corpus).references"))
        return try ScoreReport(hypotheses: hypotheses, references: [references], bootstrap: bootstrap)
    }

    private func expectPrinted(_ text: String, _ name: String) {
        expectSame(text + "\n", Golden.expected.printed[name]!, name)
    }

    @Test func json() throws {
        expectPrinted(try report("odd.a").json(.fixed(4)), "json")
        expectPrinted(try report("plain.a", Bootstrap(resamples: 200)).json(.fixed(2)), "json_ci")
        expectPrinted(try report("plain.a").json(), "json_full")
    }

    @Test func text() throws {
        expectPrinted(try report("odd.a").text(), "text")
        expectPrinted(try report("plain.b", Bootstrap(resamples: 200)).text(.fixed(3)), "text_ci")
    }

    @Test func pairedJSON() throws {
        let (hypotheses, references) = Golden.texts("plain")
        let system = Golden.lines("plain.c")
        func printed(_ test: PairedTest, _ metrics: [(String, any CorpusMetric)]) throws -> String {
            let results = try metrics.map { name, metric in
                (
                    metric: name,
                    result: try test.compare(metric, baseline: hypotheses, system: system, references: [references])
                )
            }
            return PairedReport(baseline: "plain.a", comparisons: [.init(system: "plain.c", results: results)]).json()
        }
        expectPrinted(try printed(PairedTest(.bootstrap, trials: 100), [("BLEU", BLEU())]), "paired")
        let both: [(String, any CorpusMetric)] = [("BLEU", BLEU()), ("chrF2", CHRF())]
        expectPrinted(try printed(PairedTest(.approximateRandomization, trials: 100), both), "paired_ar")
    }

    /// All that can be asked for at once.
    @Test func everyOption() throws {
        let references = ["", ".2", ".3"].map { Golden.lines("plain.references\($0)") }
        let system = Golden.lines("plain.c"), baseline = Golden.lines("plain.a")
        let metrics: [any CorpusMetric] = [
            BLEU(lowercase: true, tokenizer: .intl),
            CHRF(characterOrder: 4, wordOrder: 2, beta: 3, lowercase: true),
        ]
        func report(_ bootstrap: Bootstrap?) throws -> ScoreReport {
            try ScoreReport(hypotheses: system, references: references, metrics: metrics, bootstrap: bootstrap)
        }
        expectSame(try report(nil).json() + "\n", Golden.content("flags.json"))
        expectSame(try report(Bootstrap(resamples: 100)).text() + "\n", Golden.content("flags.txt"))
        let test = PairedTest(.approximateRandomization, trials: 100)
        let results = try metrics.map { metric in
            (
                metric: metric.name,
                result: try test.compare(metric, baseline: baseline, system: system, references: references)
            )
        }
        let paired = PairedReport(baseline: "plain.a", comparisons: [.init(system: "plain.c", results: results)])
        expectSame(paired.json() + "\n", Golden.content("flags.paired.json"))
    }

    @Test func stringsAreQuotedAsPythonQuotesThem() {
        expectSame(PythonJSON.string("a\"\\\n\r\t\u{8}\u{C}\u{1}\u{7F}é😀"), #""a\"\\\n\r\t\b\f\u0001"# + "\u{7F}é😀\"")
        expectSame(PythonJSON.string("\u{7F}é😀", ascii: true), #""\u007f\u00e9\ud83d\ude00""#)
    }
}
