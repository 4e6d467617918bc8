import Foundation

/// BLEU over a corpus with one or more references for each hypothesis.
///
///     BLEU = 100 BP exp( (1/4) sum_{n=1..4} ln p_n )
///     p_n  = sum over sentences of clipped n-gram matches / sum over sentences of hypothesis n-grams
///     BP   = min(1, exp(1 - reference length / hypothesis length))
///
/// Of several references, an n-gram is clipped to its largest number in any of them, and the reference length of a
/// sentence is the one nearest to its hypothesis's length; of two as near, the shorter.
///
/// An order without a match gets the smoothed precision 1 / (2^k x n-grams) for the k-th such order ("exp", as
/// mteval-v13a smooths). A corpus without any match scores 0.
///
/// Source: Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"; Chen & Cherry 2014,
/// smoothing method 3; Post 2018.
package struct BLEU: CorpusMetric {
    /// The longest n-gram that counts.
    package static let order = 4

    package var lowercase: Bool
    package var tokenizer: Tokenizer
    /// Average only the orders that the hypothesis is long enough for: meant for single sentences.
    package var effectiveOrder: Bool

    package init(lowercase: Bool = false, tokenizer: Tokenizer = .mteval13a, effectiveOrder: Bool = false) {
        self.lowercase = lowercase
        self.tokenizer = tokenizer
        self.effectiveOrder = effectiveOrder
    }

    package var name: String { "BLEU" }

    package var signature: Signature {
        Signature(details: [
            "case": lowercase ? "lc" : "mixed",
            "eff": effectiveOrder ? "yes" : "no",
            "tok": tokenizer.rawValue,
            "smooth": "exp",
        ])
    }

    /// Columns: hypothesis length, reference length, matches of orders 1-4, hypothesis n-grams of orders 1-4.
    package func statistics(hypotheses: [String], references: [[String]]) throws -> [StatisticsRow] {
        try checkCounts(hypotheses, references)
        var table = TokenTable()
        var matcher = NgramMatcher(order: Self.order)
        return hypotheses.indices.map { index in
            row(tokens(hypotheses[index], &table), references.map { tokens($0[index], &table) }, &matcher)
        }
    }

    private func row(_ hypothesis: [Int32], _ references: [[Int32]], _ matcher: inout NgramMatcher) -> StatisticsRow {
        let matches = matcher.matches(hypothesis, references)
        var row = StatisticsRow()
        row[0] = Int32(hypothesis.count)
        row[1] = Int32(Self.nearest(to: hypothesis.count, references.map(\.count)))
        for n in 0..<Self.order {
            row[2 + n] = matches[n]
            row[2 + Self.order + n] = Int32(max(0, hypothesis.count - n))
        }
        return row
    }

    /// The length with the smallest distance to `length`; of two as near, the shorter.
    private static func nearest(to length: Int, _ lengths: [Int]) -> Int {
        lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) }!
    }

    private func tokens(_ line: String, _ table: inout TokenTable) -> [Int32] {
        var bytes = Array((lowercase ? PythonText.lowercased(line) : line).utf8)
        PythonText.stripEnd(&bytes)
        bytes = tokenizer.spaced(bytes)
        var numbers: [Int32] = []
        PythonText.forEachWord(in: bytes) { numbers.append(table.number(of: bytes, $0)) }
        return numbers
    }

    package func score(of sums: StatisticsRow) -> BLEUScore {
        let columns = SIMD32<Double>(sums)
        let (precisions, score) = combine(columns, brevityPenalty: Self.brevityPenalty(Int(sums[0]), Int(sums[1])))
        return BLEUScore(
            score: score,
            counts: (0..<Self.order).map { Int(sums[2 + $0]) },
            totals: (0..<Self.order).map { Int(sums[2 + Self.order + $0]) },
            precisions: precisions,
            brevityPenalty: Self.brevityPenalty(Int(sums[0]), Int(sums[1])),
            hypothesisLength: Int(sums[0]),
            referenceLength: Int(sums[1]))
    }

    /// Precisions are single, their logarithms and the rest double.
    package func resampledScore(of sums: SIMD32<Float>) -> ResampledScore {
        let penalty = Self.brevityPenalty(Int(sums[0]), Int(sums[1]))
        return ResampledScore(value: combine(sums, brevityPenalty: penalty).score, isSingle: false)
    }

    static func brevityPenalty(_ hypothesisLength: Int, _ referenceLength: Int) -> Double {
        guard hypothesisLength < referenceLength else { return 1 }
        return hypothesisLength > 0 ? exp(1 - Double(referenceLength) / Double(hypothesisLength)) : 0
    }

    /// Precisions in percent, in the precision of the counts, and the score.
    private func combine<Number: BinaryFloatingPoint & SIMDScalar>(
        _ sums: SIMD32<Number>, brevityPenalty: Double
    ) -> (precisions: [Number], score: Double) {
        var precisions = [Number](repeating: 0, count: Self.order)
        guard (0..<Self.order).contains(where: { sums[2 + $0] > 0 }) else { return (precisions, 0) }
        var smoothing: Number = 1
        var orders = Self.order
        for n in 0..<Self.order {
            let matches = sums[2 + n]
            let total = sums[2 + Self.order + n]
            if total == 0 { break }
            if effectiveOrder { orders = n + 1 }
            if matches == 0 {
                smoothing *= 2
                precisions[n] = 100 / (smoothing * total)
            } else {
                precisions[n] = 100 * matches / total
            }
        }
        // Summed in order: the last digit depends on it.
        let logarithms = precisions[..<orders].reduce(0.0) { $0 + ($1 == 0 ? Self.logarithmOfZero : log(Double($1))) }
        return (precisions, brevityPenalty * exp(logarithms / Double(orders)))
    }

    /// Stands for minus infinity.
    private static let logarithmOfZero = -9_999_999_999.0
}
