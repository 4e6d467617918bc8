import Kernels
import Models
import Testing

/// What a sentence's result may depend on: itself and the weights.
struct TransformerBatchTests {
    private let pairs = PairBatch.awkwardPairs
    private let configuration = TransformerConfiguration.tiny(layers: 2)

    @Test func gradientsOfSlicesSumToThoseOfTheBatch() {
        let whole = TransformerFixture(configuration), sliced = TransformerFixture(configuration)
        let expected = whole.loss(PairBatch(pairs), gradientScale: 0.1)
        for cuts in [[0, 2, 3, 5], [0, 1, 2, 3, 4, 5], [0, 4, 5]] {
            sliced.gradients.buffer.update(repeating: 0)
            let sums = zip(cuts, cuts.dropFirst()).map {
                sliced.loss(PairBatch(Array(pairs[$0..<$1])), gradientScale: 0.1)
            }.reduce(LossSums(), +)
            #expect(
                sums.tokens == expected.tokens && abs(sums.loss - expected.loss) < 1e-5
                    && abs(sums.nll - expected.nll) < 1e-5)
            let difference = largestDifference(sliced.values(of: sliced.gradients), whole.values(of: whole.gradients))
            #expect(difference.value < 2e-6, "cut at \(cuts), element \(difference.index)")
        }
    }

    @Test func aSentenceIsTheSameAloneAndInAnyCompany() {
        let fixture = TransformerFixture(configuration), vocabulary = configuration.targetVocabulary
        let together = fixture.logits(PairBatch(pairs)), turned = fixture.logits(PairBatch(pairs.reversed()))
        var start = 0
        for pair in pairs {
            let alone = fixture.logits(PairBatch([pair])), end = start + alone.count
            #expect(alone.count == (pair.target.count + 1) * vocabulary)
            #expect(largestDifference(Array(together[start..<end]), alone).value < 2e-6)
            let mirrored = together.count - end..<together.count - start
            #expect(largestDifference(Array(turned[mirrored]), alone).value < 2e-6)
            start = end
        }
        #expect(start == together.count)
    }

    @Test func noPositionSeesLaterTargets() {
        let fixture = TransformerFixture(configuration), vocabulary = configuration.targetVocabulary
        let target: [Int32] = [10, 3, 5, 5, 0, 6], base = fixture.logits(PairBatch([([7, 8], target)]))
        for changed in target.indices {
            var other = target
            other[changed] = 12
            let logits = fixture.logits(PairBatch([([7, 8], other)])), seen = (changed + 1) * vocabulary
            #expect(logits[..<seen] == base[..<seen] && logits[seen...] != base[seen...])
        }
    }

    /// The same names of random numbers give the same bits, also in a workspace that held other sentences; other names
    /// other bits.
    @Test func runsRepeat() {
        let dropped = TransformerConfiguration.tiny(layers: 2, dropout: 0.3), batch = PairBatch(pairs)
        func run(_ fixture: TransformerFixture, seed: UInt64 = 5, step: Int = 9) -> [Float] {
            fixture.gradients.buffer.update(repeating: 0)
            let loss = fixture.loss(batch, gradientScale: 1, randomness: Randomness(seed: seed, step: step)).loss
            return [Float(loss)] + fixture.values(of: fixture.gradients)
        }
        let fixture = TransformerFixture(dropped), first = run(fixture)
        _ = fixture.loss(PairBatch(pairs.reversed() + pairs), randomness: Randomness(seed: 6, step: 1))
        #expect(run(fixture) == first && run(TransformerFixture(dropped)) == first)
        #expect(run(fixture, seed: 6) != first && run(fixture, step: 8) != first)
    }

    /// Test sets may hold empty lines.
    @Test func anEmptySourceIsHarmless() {
        let fixture = TransformerFixture(configuration), full = pairs + [([], [4, 5])] + pairs
        let sums = fixture.loss(PairBatch(full), gradientScale: 1)
        #expect(sums.loss.isFinite && fixture.values(of: fixture.gradients).allSatisfy { $0.isFinite })
        let logits = fixture.logits(PairBatch(full)), before = fixture.logits(PairBatch(pairs))
        #expect(largestDifference(Array(logits[..<before.count]), before).value < 2e-6)
        #expect(fixture.logits(PairBatch([([], [4, 5])])).allSatisfy { $0.isFinite })
        #expect(fixture.loss(PairBatch(), gradientScale: 1).tokens == 0)
    }

    @Test func aPassTakesNoMoreMemoryTheSecondTime() {
        let fixture = TransformerFixture(configuration), batch = PairBatch(pairs)
        _ = fixture.loss(batch, gradientScale: 1)
        fixture.workspace.reset()
        let bytes = fixture.workspace.bytes
        for _ in 0..<3 { _ = fixture.loss(batch, gradientScale: 1) }
        #expect(fixture.workspace.bytes == bytes)
    }
}
