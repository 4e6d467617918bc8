/// A BLEU score and what it is made of.
package struct BLEUScore: CorpusScore, Equatable {
    /// 0...100.
    package var score: Double
    /// Clipped matches of orders 1-4.
    package var counts: [Int]
    /// Hypothesis n-grams of orders 1-4.
    package var totals: [Int]
    /// In percent, after smoothing.
    package var precisions: [Double]
    package var brevityPenalty: Double
    /// In tokens.
    package var hypothesisLength: Int
    /// In tokens.
    package var referenceLength: Int

    package var name: String { "BLEU" }

    /// Hypothesis length over reference length; 0 without a reference.
    package var ratio: Double { referenceLength == 0 ? 0 : Double(hypothesisLength) / Double(referenceLength) }

    /// Such as `66.7/40.0/25.0/16.7 (BP = 1.000 ratio = 1.000 hyp_len = 6 ref_len = 6)`.
    package var verbose: String? {
        precisions.map { Decimals.fixed($0, 1) }.joined(separator: "/")
            + " (BP = \(Decimals.fixed(brevityPenalty, 3)) ratio = \(Decimals.fixed(ratio, 3))"
            + " hyp_len = \(hypothesisLength) ref_len = \(referenceLength))"
    }
}
