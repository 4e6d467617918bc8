import Kernels
import Models
import TestSupport
import Testing

/// The gradient of a batch that is worked out tile by tile and product by product.
struct BatchGradientTests {
    private let pairs = (0..<9).flatMap { _ in PairBatch.awkwardPairs }

    private static let places: [[String]] = [
        [], ["mix-k3r5v3.encoder.0", "mix-k3.decoder.0", "slots-k3d2.cross.0"],
        ["alr-h32.encoder.0", "alr-h32.decoder.0", "alr-h32.cross.0"],
    ]

    private func fixture(
        _ specs: [String], _ tying: TransformerConfiguration.Tying = .none, layers: Int? = nil, dropout: Float = 0.3
    ) -> TransformerFixture {
        var shape = TransformerConfiguration.tiny(tying, layers: layers ?? (specs.isEmpty ? 2 : 1), dropout: dropout)
        shape.maxTokens = 7
        return TransformerFixture(shape, replacing: specs)
    }

    private func gradient(
        _ fixture: TransformerFixture, threads: Int, cutsFor: Int? = nil, tileTokens: Int = 16,
        randomness: Randomness = Randomness(seed: 3, step: 2),
        trained: [Slot]? = nil
    ) -> (sums: LossSums, gradient: [Float]) {
        var cut = BatchCut()
        (cut.tileTokens, cut.roundTokens) = (tileTokens, 60)
        let pool = WorkerPool(threads: threads, cutsFor: cutsFor), block = FloatBlock(fixture.weights.count)
        let learner = BatchGradient(
            fixture.model, weights: fixture.weights, trained: trained ?? fixture.model.layout.slots,
            trainsTransformer: trained == nil, cut: cut, pool: pool)
        // twice, since the second time there is something to be overwritten
        _ = learner.run(PairBatch(pairs.reversed()), smoothing: 0.1, scale: 1, randomness: .off, into: block)
        let sums = learner.run(PairBatch(pairs), smoothing: 0.1, scale: 0.1, randomness: randomness, into: block)
        return (sums, fixture.values(of: block))
    }

    @Test(arguments: places, TransformerConfiguration.Tying.allCases)
    func dependsOnNoThreadAndNoTile(_ specs: [String], _ tying: TransformerConfiguration.Tying) {
        let fixture = fixture(specs, tying), one = gradient(fixture, threads: 1)
        #expect(one.gradient.contains { $0 != 0 })
        for threads in [1, 2, 5] {
            for tileTokens in [1, 7, 16, 1000] {
                let other = gradient(fixture, threads: threads, tileTokens: tileTokens)
                #expect(
                    other.gradient == one.gradient && other.sums.loss == one.sums.loss
                        && other.sums.nll == one.sums.nll,
                    "\(threads) threads, tiles of \(tileTokens)")
            }
        }
        #expect(gradient(fixture, threads: 2, randomness: Randomness(seed: 3, step: 3)).gradient != one.gradient)
    }

    /// Of single sentences, differentiated one after another, which finite differences agree with.
    @Test(arguments: places, TransformerConfiguration.Tying.allCases)
    func isTheSumOverSentences(_ specs: [String], _ tying: TransformerConfiguration.Tying) {
        let fixture = fixture(specs, tying, dropout: 0)
        let found = gradient(fixture, threads: 2, randomness: .off)
        let sums = pairs.map { fixture.loss(PairBatch([$0]), gradientScale: 0.1) }.reduce(LossSums(), +)
        #expect(
            found.sums.tokens == sums.tokens && abs(found.sums.loss - sums.loss) < 1e-4
                && abs(found.sums.nll - sums.nll) < 1e-4)
        for slot in fixture.model.layout.slots {
            let own = Array(found.gradient[slot.range]), expected = fixture.values(slot, of: fixture.gradients)
            // the true gradient of a key's bias is zero, what is computed is rounding
            if expected.allSatisfy({ abs($0) < 1e-6 }) {
                #expect(own.allSatisfy { abs($0) < 1e-5 }, "\(slot.name)")
                continue
            }
            let difference = largestDifference(own, expected)
            #expect(
                difference.value < 1e-5,
                "\(slot.name)[\(difference.index)]: \(own[difference.index]), expected \(expected[difference.index])")
        }
    }

    /// What a teacher says of every row, of each something else: a row that got another's would be seen.
    @Test(arguments: places) func ofATaughtBatchIsThatOfItsSentencesAndOfTheDefinition(_ specs: [String]) {
        let fixture = fixture(specs, dropout: 0), classes = fixture.model.configuration.targetVocabulary, k = 3
        let teaching = (alpha: Float(0.7), temperature: Float(2))
        func taught(_ pairs: [(source: [Int32], target: [Int32])], from first: Int) -> PairBatch {
            var batch = PairBatch(pairs),
                teacher = Labels.Teacher(likeliest: k, alpha: teaching.alpha, temperature: teaching.temperature)
            for row in batch.labels.tokens.indices.map({ $0 + first }) {
                for j in 0..<k {
                    teacher.ids.append(Int32((row * 5 + 2 * j + 1) % classes))
                    teacher.probabilities.append([0.5, 0.2, Float(row % 7) * 0.04][j])
                }
            }
            batch.labels.teacher = teacher
            return batch
        }
        let batch = taught(pairs, from: 0)
        func run(tileTokens: Int, threads: Int) -> (sums: LossSums, gradient: [Float]) {
            var cut = BatchCut()
            (cut.tileTokens, cut.roundTokens) = (tileTokens, 60)
            let block = FloatBlock(fixture.weights.count)
            let learner = BatchGradient(
                fixture.model, weights: fixture.weights, trained: fixture.model.layout.slots,
                trainsTransformer: true, cut: cut, pool: WorkerPool(threads: threads))
            let sums = learner.run(batch, smoothing: 0.1, scale: 0.1, randomness: .off, into: block)
            return (sums, fixture.values(of: block))
        }
        let found = run(tileTokens: 16, threads: 2)
        for (tileTokens, threads) in [(1, 1), (7, 3), (1000, 2)] {
            let other = run(tileTokens: tileTokens, threads: threads)
            #expect(other.gradient == found.gradient && other.sums.loss == found.sums.loss, "tiles of \(tileTokens)")
        }
        let teacher = batch.labels.teacher!
        let expected = taughtLoss(
            fixture.logits(batch).map(Double.init), [Double](repeating: 0, count: classes), batch.labels.tokens,
            teacher.ids, teacher.probabilities, teaching, smoothing: 0.1)
        #expect(abs(found.sums.loss - expected) < 1e-5 * expected, "\(found.sums.loss), expected \(expected)")
        var first = 0
        for pair in pairs {
            _ = fixture.loss(taught([pair], from: first), gradientScale: 0.1)
            first += pair.target.count + 1
        }
        #expect(largestDifference(found.gradient, fixture.values(of: fixture.gradients)).value < 1e-5)
    }

    /// Where so many threads share the work that products are cut by columns, too.
    @Test(arguments: TransformerConfiguration.Tying.allCases)
    func cutsOfWideWeightsChangeNoBit(_ tying: TransformerConfiguration.Tying) {
        var shape = TransformerConfiguration.tiny(tying)
        (shape.width, shape.hidden, shape.maxTokens) = (128, 160, 7)
        let fixture = TransformerFixture(shape), whole = gradient(fixture, threads: 1, randomness: .off)
        _ = fixture.loss(PairBatch(pairs), gradientScale: 0.1)
        #expect(largestDifference(whole.gradient, fixture.values(of: fixture.gradients)).value < 1e-5)
        for (threads, cuts) in [(1, 64), (5, 64), (2, 200)] {
            let other = gradient(fixture, threads: threads, cutsFor: cuts, randomness: .off)
            #expect(other.gradient == whole.gradient, "\(threads) threads, cut for \(cuts)")
        }
    }

    /// A token drops the same numbers alone and in any tile: the loss with dropout is that of the batch in one pass.
    @Test func dropoutIsThatOfTheWholeBatch() {
        let fixture = fixture([]), randomness = Randomness(seed: 3, step: 2)
        let whole = fixture.loss(PairBatch(pairs), gradientScale: 0.1, randomness: randomness),
            found = gradient(fixture, threads: 2, randomness: randomness)
        #expect(abs(found.sums.loss - whole.loss) < 1e-4)
        #expect(largestDifference(found.gradient, fixture.values(of: fixture.gradients)).value < 1e-5)
    }

    /// Where networks alone learn, they have the same gradients, and nothing else has one: wherever the lowest stands,
    /// below which none is worked out.
    @Test(
        arguments: places.dropFirst() + [
            ["mix-k3.encoder.1"], ["mix-k3.encoder.0"], ["mix-k3.decoder.1"], ["slots-k3d2.cross.0"],
            ["mix-k3.cross.1"],
            ["mix-k3.encoder.1", "mix-k3.cross.1"],
        ])
    func networksAlone(_ specs: [String]) {
        let fixture = fixture(specs, layers: 2), all = gradient(fixture, threads: 2)
        let networks = fixture.model.replacements.specs.flatMap { fixture.model.slots(of: $0) },
            own = gradient(fixture, threads: 2, trained: networks)
        #expect(networks.contains { slot in own.gradient[slot.range].contains { $0 != 0 } })
        for slot in fixture.model.layout.slots {
            if networks.contains(slot) {
                #expect(
                    largestDifference(Array(own.gradient[slot.range]), Array(all.gradient[slot.range])).value < 1e-5,
                    "\(slot.name)")
            } else {
                #expect(own.gradient[slot.range].allSatisfy { $0 == 0 }, "\(slot.name)")
            }
        }
    }

    @Test func lossAloneIsTheLoss() {
        let fixture = fixture([], dropout: 0), pool = WorkerPool(threads: 2)
        let learner = BatchGradient(
            fixture.model, weights: fixture.weights, trained: fixture.model.layout.slots, pool: pool)
        let expected = fixture.loss(PairBatch(pairs)), found = learner.loss(PairBatch(pairs), smoothing: 0.1)
        #expect(abs(found.loss - expected.loss) < 1e-4 && found.tokens == expected.tokens)
    }
}
