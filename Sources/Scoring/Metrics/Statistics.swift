/// What one sentence contributes to a corpus score: whole numbers that are summed over sentences before anything else
/// is done with them. Column meanings belong to the metric; unused columns are 0.
///
/// A fixed row of 32 columns makes summing thousands of resampled corpora a matter of vector additions.
package typealias StatisticsRow = SIMD32<Int32>

/// A metric whose corpus score is a function of statistics summed over sentences.
package protocol CorpusMetric: Sendable {
    associatedtype Score: CorpusScore

    /// As its scores print it: `BLEU`, `chrF2`, `chrF2++`.
    var name: String { get }

    /// How the score was made, so that others can make it again; of one reference, unless the caller says otherwise.
    var signature: Signature { get }

    /// One row for every sentence. Throws `ScoringError` when there are no sentences or the counts differ.
    ///
    /// - Parameter references: one or more lists, each with a reference for every hypothesis
    func statistics(hypotheses: [String], references: [[String]]) throws -> [StatisticsRow]

    /// The score of a corpus, in double precision.
    func score(of sums: StatisticsRow) -> Score

    /// The score of a resampled corpus, in the precision that the reference implementation uses there.
    func resampledScore(of sums: SIMD32<Float>) -> ResampledScore
}

/// A corpus score with what is worth telling about it.
package protocol CorpusScore: Sendable {
    /// As printed: `BLEU`, `chrF2`, `chrF2++`.
    var name: String { get }
    /// 0...100.
    var score: Double { get }
    /// The components in words, when there are any.
    var verbose: String? { get }
}

/// A score of summed single-precision statistics. NumPy keeps single precision through arithmetic with Python numbers
/// (NEP 50), and the mean over resamples is then taken in single precision too: hence the mark.
package struct ResampledScore: Equatable, Sendable {
    package var value: Double
    package var isSingle: Bool
}

extension CorpusMetric {
    /// One row for every sentence, with one reference each.
    package func statistics(hypotheses: [String], references: [String]) throws -> [StatisticsRow] {
        try statistics(hypotheses: hypotheses, references: [references])
    }

    /// The score of a whole corpus, with one reference for each sentence.
    package func score(hypotheses: [String], references: [String]) throws -> Score {
        score(of: try statistics(hypotheses: hypotheses, references: references))
    }

    /// The score of a whole corpus from its sentences' rows.
    package func score(of rows: [StatisticsRow]) -> Score {
        score(of: rows.reduce(into: StatisticsRow()) { $0 &+= $1 })
    }

    /// Every hypothesis has a reference in each list.
    func checkCounts(_ hypotheses: [String], _ references: [[String]]) throws {
        precondition(!references.isEmpty, "hypotheses are scored by one reference or more")
        for list in references where list.count != hypotheses.count {
            throw ScoringError.unequalCounts(hypotheses: hypotheses.count, references: list.count)
        }
        guard !hypotheses.isEmpty else { throw ScoringError.noSentences }
    }
}
