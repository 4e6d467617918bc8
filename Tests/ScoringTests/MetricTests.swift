import Foundation
import Testing

@testable import Scoring

/// Doubles are compared exactly: operations are in the reference's order, and `exp` and `log` are the C library's for
/// both (the golden files were made with glibc on x86-64; another C library may round a last digit differently).
@Suite struct MetricTests {
    @Test(arguments: Golden.expected.corpora.keys.sorted())
    func scores(corpus name: String) throws {
        let corpus = Golden.expected.corpora[name]!
        let (hypotheses, references) = Golden.texts(name)
        for (label, expected) in corpus.metrics.sorted(by: { $0.key < $1.key }) {
            let metric = metric(label)
            let score: any CorpusScore = try metric.score(hypotheses: hypotheses, references: references)
            #expect(score.name == expected.name, "\(name), \(label)")
            #expect(score.score == expected.score, "\(name), \(label)")
            #expect(metric.signature.description == expected.signature, "\(name), \(label)")
            if let components = expected.bleu { compare(score as! BLEUScore, components, "\(name), \(label)") }
        }
    }

    private func compare(_ score: BLEUScore, _ expected: Golden.Components, _ context: Comment) {
        #expect(score.counts == expected.counts, context)
        #expect(score.totals == expected.totals, context)
        #expect(score.precisions == expected.precisions, context)
        #expect(score.brevityPenalty == expected.bp, context)
        #expect(score.ratio == expected.ratio, context)
        #expect(score.hypothesisLength == expected.sys_len, context)
        #expect(score.referenceLength == expected.ref_len, context)
        expectSame("BLEU = \(Decimals.fixed(score.score, 2)) \(score.verbose!)", expected.text, "\(context)")
    }

    @Test(arguments: ["BLEU", "chrF2++"])
    func everySentencesStatistics(label: String) throws {
        for (name, expected) in Golden.expected.statistics {
            let (hypotheses, references) = Golden.texts(name)
            let rows = try metric(label).statistics(hypotheses: hypotheses, references: references)
            let columns = label == "BLEU" ? 10 : 24
            for (index, row) in rows.enumerated() {
                let found = (0..<columns).map { String(row[$0]) }.joined(separator: " ")
                expectSame(found, expected[label]![index], "\(name):\(index + 1) \(hypotheses[index].debugDescription)")
            }
            #expect(rows.count == expected[label]!.count)
        }
    }

    @Test func unequalOrEmptyCorporaAreRefused() {
        #expect(throws: ScoringError.unequalCounts(hypotheses: 2, references: 1)) {
            try BLEU().score(hypotheses: ["a", "b"], references: ["a"])
        }
        #expect(throws: ScoringError.noSentences) { try CHRF().score(hypotheses: [], references: []) }
    }

    @Test func canonicallyEquivalentTextsAreDifferentTexts() throws {
        #expect(try BLEU().statistics(hypotheses: ["é"], references: ["e\u{301}"])[0][2] == 0)
        #expect(try CHRF(wordOrder: 2).statistics(hypotheses: ["é"], references: ["e\u{301}"])[0][20] == 0)
    }

    @Test func paperCompatFigure() throws {
        let references = Golden.lines("plain.references")
        for (name, expected) in Golden.expected.paper_compat {
            let found = try PaperCompatBLEU.score(
                hypotheses: framed(Golden.lines(name)), references: framed(references))
            #expect(abs(found - expected) < 1e-15, "\(name)")
        }
        #expect(try PaperCompatBLEU.score(hypotheses: [[1, 5, 2]], references: [[1, 5, 2]]) == 0)
        #expect(try PaperCompatBLEU.score(hypotheses: [[1, 5, 6, 2]], references: [[1, 5, 6, 2]]) == 1)
        #expect(try PaperCompatBLEU.score(hypotheses: [[Int]()], references: [[1, 2]]) == 0)
    }

    private func framed(_ lines: [String]) -> [[String]] {
        lines.map { ["<s>"] + $0.split(separator: " ").map(String.init) + ["</s>"] }
    }
}
