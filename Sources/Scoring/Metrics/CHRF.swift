/// chrF: the F-score of character n-grams, and chrF++ with word n-grams added, over a corpus with one or more
/// references for each hypothesis.
///
///     chrF_beta = 100 (1 + beta^2) P R / (beta^2 P + R)
///     P = mean over orders of matches / hypothesis n-grams        R = mean over orders of matches / reference n-grams
///
/// with counts summed over sentences, and orders that either side lacks left out of the mean. Character n-grams run
/// over the sentence without its white space. For word n-grams one punctuation mark is split off a word, at its end or
/// else at its start. Of several references, a sentence is counted with the one that gives it the best score of its
/// own; of two as good, the first.
///
/// Source: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; Popović 2017, "chrF++: words
/// helping character n-grams".
package struct CHRF: CorpusMetric {
    /// Longest character n-gram, 1...6.
    package var characterOrder: Int
    /// Longest word n-gram, 0...2: 0 is chrF, 2 is chrF++.
    package var wordOrder: Int
    /// Recall weighs beta times as much as precision.
    package var beta: Int
    package var lowercase: Bool

    /// A sentence's row has three columns for each order, which limits the orders to 6 and 2.
    package init(characterOrder: Int = 6, wordOrder: Int = 0, beta: Int = 2, lowercase: Bool = false) {
        precondition((1...6).contains(characterOrder) && (0...2).contains(wordOrder), "chrF orders are 1...6 and 0...2")
        self.characterOrder = characterOrder
        self.wordOrder = wordOrder
        self.beta = beta
        self.lowercase = lowercase
    }

    private var orders: Int { characterOrder + wordOrder }

    package var name: String { "chrF\(beta)" + String(repeating: "+", count: wordOrder) }

    package var signature: Signature {
        Signature(details: [
            "case": lowercase ? "lc" : "mixed",
            "eff": "yes",
            "nc": String(characterOrder),
            "nw": String(wordOrder),
            "space": "no",
        ])
    }

    /// Columns, for each order: hypothesis n-grams (0 where the reference has none), reference n-grams, matches.
    package func statistics(hypotheses: [String], references: [[String]]) throws -> [StatisticsRow] {
        try checkCounts(hypotheses, references)
        var table = TokenTable()
        var characters = NgramMatcher(order: characterOrder)
        var words = NgramMatcher(order: max(1, wordOrder))
        return hypotheses.indices.map { index in
            let hypothesis = symbols(hypotheses[index], &table)
            return best(
                references.map { row(hypothesis, symbols($0[index], &table), &characters, &words) })
        }
    }

    /// What n-grams of a sentence are made of.
    private struct Symbols {
        let characters: [Int32]
        /// None where words do not count.
        let words: [Int32]
    }

    private func symbols(_ line: String, _ table: inout TokenTable) -> Symbols {
        let bytes = Array((lowercase ? PythonText.lowercased(line) : line).utf8)
        return Symbols(
            characters: Self.characters(bytes), words: wordOrder > 0 ? Self.words(bytes, &table) : [])
    }

    private func row(
        _ hypothesis: Symbols, _ reference: Symbols, _ characters: inout NgramMatcher, _ words: inout NgramMatcher
    ) -> StatisticsRow {
        var row = StatisticsRow()
        enter(hypothesis.characters, reference.characters, characterOrder, 0, &characters, &row)
        if wordOrder > 0 { enter(hypothesis.words, reference.words, wordOrder, characterOrder, &words, &row) }
        return row
    }

    /// Of a sentence's rows, one a reference, the first with the best score.
    private func best(_ rows: [StatisticsRow]) -> StatisticsRow {
        guard rows.count > 1 else { return rows[0] }
        let scores = rows.map { score(of: $0).score }
        return rows[scores.firstIndex(of: scores.max()!)!]
    }

    /// Fills the columns of `count` orders from order `first` on.
    private func enter(
        _ hypothesis: [Int32], _ reference: [Int32], _ count: Int, _ first: Int,
        _ matcher: inout NgramMatcher, _ row: inout StatisticsRow
    ) {
        let matches = matcher.matches(hypothesis, [reference])
        for n in 0..<count {
            let column = 3 * (first + n)
            row[column] = reference.count > n ? Int32(max(0, hypothesis.count - n)) : 0
            row[column + 1] = Int32(max(0, reference.count - n))
            row[column + 2] = matches[n]
        }
    }

    package func score(of sums: StatisticsRow) -> CHRFScore {
        CHRFScore(name: name, score: fScore(SIMD32<Double>(sums)) ?? 0)
    }

    package func resampledScore(of sums: SIMD32<Float>) -> ResampledScore {
        guard let score = fScore(sums) else { return ResampledScore(value: 0, isSingle: false) }
        return ResampledScore(value: Double(score), isSingle: true)
    }

    /// The score in percent in the precision of the counts; nothing when nothing matches.
    private func fScore<Number: BinaryFloatingPoint & SIMDScalar>(_ sums: SIMD32<Number>) -> Number? {
        var (precision, recall): (Number, Number) = (0, 0)
        var counted = 0
        for order in 0..<orders {
            let (hypothesis, reference, matches) = (sums[3 * order], sums[3 * order + 1], sums[3 * order + 2])
            guard hypothesis > 0, reference > 0 else { continue }
            precision += matches / hypothesis
            recall += matches / reference
            counted += 1
        }
        guard precision + recall > 0 else { return nil }
        precision /= Number(counted)
        recall /= Number(counted)
        let factor = Number(beta * beta)
        return 100 * ((1 + factor) * precision * recall / (factor * precision + recall))
    }
}

/// A chrF score.
package struct CHRFScore: CorpusScore, Equatable {
    /// `chrF2`, `chrF2++`.
    package var name: String
    /// 0...100.
    package var score: Double
    package var verbose: String? { nil }
}
