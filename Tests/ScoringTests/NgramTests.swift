import Testing

@testable import Scoring

/// The n-gram counts against the naive definition.
@Suite struct NgramTests {
    @Test func matchesEqualClippedCountsForAllSmallSequences() {
        var matcher = NgramMatcher(order: 4)
        let sequences = (0...5).flatMap { length in
            (0..<(1 << length)).map { bits in (0..<length).map { Int32(bits >> $0 & 1) } }
        }
        for hypothesis in sequences {
            for reference in sequences {
                let found = matcher.matches(hypothesis, [reference])
                for n in 1...4 where found[n - 1] != clipped(hypothesis, [reference], n) {
                    Issue.record("\(n)-grams of \(hypothesis) in \(reference): found \(found[n - 1])")
                }
            }
        }
    }

    @Test func severalReferencesCountByTheirMaximum() {
        var matcher = NgramMatcher(order: 4)
        let sequences = (0...3).flatMap { length in
            (0..<(1 << length)).map { bits in (0..<length).map { Int32(bits >> $0 & 1) } }
        }
        let hypotheses = sequences + [[0, 1, 0, 1, 1], [1, 1, 1, 0, 0, 0]]
        for hypothesis in hypotheses {
            for first in sequences {
                for second in hypotheses {
                    for references in [
                        [first, second], [second, first], [first, second, Array(hypothesis.reversed())],
                    ] {
                        let found = matcher.matches(hypothesis, references)
                        for n in 1...4 where found[n - 1] != clipped(hypothesis, references, n) {
                            Issue.record("\(n)-grams of \(hypothesis) in \(references): found \(found[n - 1])")
                        }
                    }
                }
            }
        }
    }

    @Test func longRandomSequences() {
        var matcher = NgramMatcher(order: 6)
        var generator = PCG64(seed: 3)
        for length in [100, 1_009, 3_000] {
            let (hypothesis, reference) = (random(length, 7, &generator), random(length + 50, 7, &generator))
            let found = matcher.matches(hypothesis, [reference])
            let other = random(length / 2, 7, &generator)
            let foundInBoth = matcher.matches(hypothesis, [reference, other])
            for n in 1...6 {
                let context: Comment = "\(n)-grams, length \(length)"
                #expect(found[n - 1] == clipped(hypothesis, [reference], n), context)
                #expect(foundInBoth[n - 1] == clipped(hypothesis, [reference, other], n), context)
            }
        }
    }

    @Test func tokensKeepTheirNumbersWhenTheTableGrows() {
        var table = TokenTable()
        let words = (0..<10_000).map { Array("w\($0)".utf8) }
        for (index, word) in words.enumerated() { #expect(table.number(of: word, word.indices) == Int32(index)) }
        for (index, word) in words.enumerated() { #expect(table.number(of: word, word.indices) == Int32(index)) }
        #expect(table.count == 10_000)
    }

    private func random(_ count: Int, _ symbols: UInt32, _ generator: inout PCG64) -> [Int32] {
        (0..<count).map { _ in Int32(generator.integer(below: symbols)) }
    }

    private func clipped(_ hypothesis: [Int32], _ references: [[Int32]], _ n: Int) -> Int32 {
        let allowed = references.reduce(into: [:]) { $0.merge(counts($1, n), uniquingKeysWith: max) }
        return counts(hypothesis, n).reduce(0) { $0 + min($1.value, allowed[$1.key] ?? 0) }
    }

    private func counts(_ symbols: [Int32], _ n: Int) -> [[Int32]: Int32] {
        guard symbols.count >= n else { return [:] }
        return (0...(symbols.count - n)).reduce(into: [:]) { $0[Array(symbols[$1..<($1 + n)]), default: 0] += 1 }
    }
}
