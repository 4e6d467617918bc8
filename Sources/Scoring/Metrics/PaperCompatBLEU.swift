import Foundation

/// The figure in the tables of "Rethinking Attention" (Bozic et al. 2024): 0...1, and comparable with nothing else.
///
///     BP exp( (1/4) sum_{n=1..4} ln p_n )        BP = min(1, exp(1 - reference length / hypothesis length))
///
/// the BLEU-4 of Papineni et al. 2002 over a corpus of **model tokens**, as that paper's code computes it: no
/// detokenisation and no tokenisation, no smoothing (0 when an order has no match), and `<s>` and `</s>` count as
/// tokens like any other, which raises the figure, since every sentence gets them right. Put them into both sides
/// before calling.
package enum PaperCompatBLEU {
    /// Tokens are vocabulary ids or pieces. Throws `ScoringError` when there are no sentences or the two counts differ.
    package static func score<Token: Hashable>(hypotheses: [[Token]], references: [[Token]]) throws -> Double {
        guard hypotheses.count == references.count else {
            throw ScoringError.unequalCounts(hypotheses: hypotheses.count, references: references.count)
        }
        guard !hypotheses.isEmpty else { throw ScoringError.noSentences }
        let (matches, totals) = counts(hypotheses, references)
        guard matches.allSatisfy({ $0 > 0 }) else { return 0 }
        let logarithms = zip(matches, totals).map { 0.25 * log(Double($0) / Double($1)) }
        return BLEU.brevityPenalty(hypotheses.reduce(0) { $0 + $1.count }, references.reduce(0) { $0 + $1.count })
            * exp(logarithms.reduce(0, +))
    }

    /// Clipped matches and hypothesis n-grams of orders 1-4.
    private static func counts<Token: Hashable>(
        _ hypotheses: [[Token]], _ references: [[Token]]
    ) -> (matches: [Int], totals: [Int]) {
        var numbers: [Token: Int32] = [:]
        var matcher = NgramMatcher(order: 4)
        var (matches, totals) = ([0, 0, 0, 0], [0, 0, 0, 0])
        for (hypothesis, reference) in zip(hypotheses, references) {
            let found = matcher.matches(number(hypothesis, &numbers), [number(reference, &numbers)])
            for n in 0..<4 {
                matches[n] += Int(found[n])
                totals[n] += max(0, hypothesis.count - n)
            }
        }
        return (matches, totals)
    }

    private static func number<Token: Hashable>(_ tokens: [Token], _ numbers: inout [Token: Int32]) -> [Int32] {
        tokens.map { token in
            if let number = numbers[token] { return number }
            let number = Int32(numbers.count)
            numbers[token] = number
            return number
        }
    }
}
