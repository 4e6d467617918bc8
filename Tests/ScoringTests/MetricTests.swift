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

    @Test(arguments: Golden.expected.several.keys.sorted())
    func scoresWithOneOrMoreReferences(corpus name: String) throws {
        let corpus = Golden.expected.several[name]!, references = corpus.references.map(\.lines)
        for (label, expected) in corpus.metrics.sorted(by: { $0.key < $1.key }) {
            let context: Comment = "\(name), \(label)"
            let metric = metric(label)
            let rows = try metric.statistics(hypotheses: corpus.hypotheses.lines, references: references)
            let score: any CorpusScore = metric.score(of: rows)
            #expect(score.name == expected.name && metric.name == expected.name, context)
            #expect(score.score == expected.score, context)
            if let components = expected.bleu { compare(score as! BLEUScore, components, context) }
            let entries = try [nil, Bootstrap(resamples: corpus.resamples)].map { bootstrap in
                try ScoreReport(
                    hypotheses: corpus.hypotheses.lines, references: references, metrics: [metric],
                    bootstrap: bootstrap
                ).entries[0]
            }
            #expect(entries[0].signature.description == expected.signature, context)
            #expect(entries[1].signature.description == expected.signature_ci, context)
            #expect(entries[1].confidence?.mean == expected.mean, context)
            #expect(entries[1].confidence?.halfWidth == expected.ci, context)
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
            try compareRows(label, hypotheses, [references], expected[label]!, name)
        }
        for (name, corpus) in Golden.expected.several {
            guard let expected = corpus.statistics else { continue }
            try compareRows(label, corpus.hypotheses.lines, corpus.references.map(\.lines), expected[label]!, name)
        }
    }

    private func compareRows(
        _ label: String, _ hypotheses: [String], _ references: [[String]], _ expected: [String], _ name: String
    ) throws {
        let rows = try metric(label).statistics(hypotheses: hypotheses, references: references)
        let columns = label == "BLEU" ? 10 : 24
        for (index, row) in rows.enumerated() {
            let found = (0..<columns).map { String(row[$0]) }.joined(separator: " ")
            expectSame(found, expected[index], "\(name):\(index + 1) \(hypotheses[index].debugDescription)")
        }
        #expect(rows.count == expected.count)
    }

    @Test func unequalOrEmptyCorporaAreRefused() {
        #expect(throws: ScoringError.unequalCounts(hypotheses: 2, references: 1)) {
            try BLEU().score(hypotheses: ["a", "b"], references: ["a"])
        }
        #expect(throws: ScoringError.unequalCounts(hypotheses: 1, references: 2)) {
            try CHRF().statistics(hypotheses: ["a"], references: [["a"], ["a", "b"]])
        }
        #expect(throws: ScoringError.noSentences) { try CHRF().statistics(hypotheses: [], references: [[]]) }
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
