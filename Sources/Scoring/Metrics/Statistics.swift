/// What one sentence contributes to a corpus score: whole numbers that are summed over sentences before anything else
/// is done with them. Column meanings belong to the metric; unused columns are 0.
///
/// A fixed row of 32 columns makes summing thousands of resampled corpora a matter of vector additions.
public typealias StatisticsRow = SIMD32<Int32>

/// A metric whose corpus score is a function of statistics summed over sentences.
public protocol CorpusMetric: Sendable {
    associatedtype Score: CorpusScore

    /// How the score was made, so that others can make it again.
    var signature: Signature { get }

    /// One row for every sentence pair. Throws `ScoringError` when there are no sentences or the two counts differ.
    func statistics(hypotheses: [String], references: [String]) throws -> [StatisticsRow]

    /// The score of a corpus, in double precision.
    func score(of sums: StatisticsRow) -> Score

    /// The score of a resampled corpus, in the precision that the reference implementation uses there.
    func resampledScore(of sums: SIMD32<Float>) -> ResampledScore
}

/// A corpus score with what is worth telling about it.
public protocol CorpusScore: Sendable {
    /// As printed: `BLEU`, `chrF2`, `chrF2++`.
    var name: String { get }
    /// 0...100.
    var score: Double { get }
    /// The components in words, when there are any.
    var verbose: String? { get }
}

/// A score of summed single-precision statistics. NumPy keeps single precision through arithmetic with Python numbers
/// (NEP 50), and the mean over resamples is then taken in single precision too: hence the mark.
public struct ResampledScore: Equatable, Sendable {
    public var value: Double
    public var isSingle: Bool
}

extension CorpusMetric {
    /// The score of a whole corpus.
    public func score(hypotheses: [String], references: [String]) throws -> Score {
        score(of: try statistics(hypotheses: hypotheses, references: references))
    }

    /// The score of a whole corpus from its sentences' rows.
    public func score(of rows: [StatisticsRow]) -> Score {
        score(of: rows.reduce(into: StatisticsRow()) { $0 &+= $1 })
    }

    /// Sentences must come in pairs.
    func checkCounts(_ hypotheses: [String], _ references: [String]) throws {
        guard hypotheses.count == references.count else {
            throw ScoringError.unequalCounts(hypotheses: hypotheses.count, references: references.count)
        }
        guard !hypotheses.isEmpty else { throw ScoringError.noSentences }
    }
}
