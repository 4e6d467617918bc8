import Kernels
import Testing

@testable import Models

/// The loss that keeps a model's contexts near to its teacher's.
struct ContextMatchingTests {
    private let pairs = (0..<4).flatMap { _ in PairBatch.awkwardPairs }
    private let sample = PairBatch(PairBatch.awkwardPairs)
    private let teacher = TransformerFixture(.tiny(layers: 2), seed: 5)
    private static let specs = ["mix-k3r5v3.encoder.0", "mix-k3.decoder.1", "slots-k3d2.cross.0"]

    private func student(_ specs: [String] = specs) -> TransformerFixture {
        var shape = TransformerConfiguration.tiny(layers: 2)
        shape.maxTokens = 7
        return TransformerFixture(shape, replacing: specs, seed: 7)
    }

    /// Loss and gradient with and without matching.
    ///
    /// - Parameter alone: only the networks learn
    private func gradient(
        _ student: TransformerFixture, weight: Float?, threads: Int = 2, tileTokens: Int = 16, alone: Bool = false
    ) -> (loss: Double, gradient: [Float]) {
        var cut = BatchCut()
        (cut.tileTokens, cut.roundTokens) = (tileTokens, 60)
        let pool = WorkerPool(threads: threads), block = FloatBlock(student.weights.count)
        let matching = weight.map {
            ContextMatching(
                teacher.model, weights: teacher.weights, student.model, weight: $0, sample: sample, pool: pool)
        }
        let networks = student.model.replacements.specs.flatMap { student.model.slots(of: $0) }
        let learner = BatchGradient(
            student.model, weights: student.weights, trained: alone ? networks : student.model.layout.slots,
            trainsTransformer: !alone, cut: cut, matching: matching, pool: pool)
        let sums = learner.run(PairBatch(pairs), smoothing: 0.1, scale: 1, randomness: .off, into: block)
        return (sums.loss, student.values(of: block))
    }

    /// The contexts of all attentions, by layer: encoder, decoder, cross.
    private func contexts(_ fixture: TransformerFixture, _ batch: PairBatch) -> [[Float]] {
        _ = fixture.logits(batch)
        let tapes =
            fixture.trace.encoder.map(\.attention) + fixture.trace.decoder.map(\.selfAttention)
            + fixture.trace.decoder.map(\.crossAttention)
        return withExtendedLifetime(fixture.workspace) {
            tapes.map { Array(UnsafeBufferPointer(start: $0.context.context.base, count: $0.context.context.count)) }
        }
    }

    @Test func lossIsItsDefinition() {
        let student = student(), places = [0, 3, 4]
        let found = gradient(student, weight: 0.7).loss - gradient(student, weight: nil).loss
        let own = contexts(student, PairBatch(pairs)), targets = contexts(teacher, PairBatch(pairs)),
            sampled = contexts(teacher, sample)
        var expected = 0.0
        for place in places {
            let mean = sampled[place].reduce(0) { $0 + Double($1) * Double($1) } / Double(sampled[place].count)
            let squares = zip(own[place], targets[place]).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
            expected += 0.7 / 3 * squares / (8 * mean)
        }
        #expect(abs(found - expected) < 1e-4 * expected && expected > 1, "\(found), expected \(expected)")
    }

    /// Along random directions of all tensors at once.
    @Test func gradientAgreesWithDifferences() {
        let student = student(), with = gradient(student, weight: 0.7).gradient,
            without = gradient(student, weight: nil).gradient, start = student.values(of: student.weights)
        for seed in 0..<3 {
            let direction = start.indices.map { Float((($0 + 1) * (37 + 2 * seed)) % 101 - 50) / 50 }
            func added(_ t: Float) -> Double {
                for i in start.indices { student.weights.base[i] = start[i] + t * direction[i] }
                return gradient(student, weight: 0.7).loss - gradient(student, weight: nil).loss
            }
            let step: Float = 1e-3, difference = (added(step) - added(-step)) / Double(2 * step)
            _ = added(0)
            let expected = zip(zip(with, without), direction).reduce(0) { $0 + Double($1.0.0 - $1.0.1) * Double($1.1) }
            #expect(abs(difference - expected) < 0.01 * abs(expected), "\(difference), expected \(expected)")
        }
    }

    /// Whether networks learn alone or all does, and for a family whose gradients are not left to the batch.
    @Test(arguments: [specs, ["alr-h32.encoder.0", "alr-h32.decoder.1", "alr-h32.cross.0"]], [false, true])
    func dependsOnNoThreadAndNoTile(_ specs: [String], alone: Bool) {
        let student = student(specs), one = gradient(student, weight: 1, threads: 1, alone: alone)
        #expect(one.loss > gradient(student, weight: nil, threads: 1, alone: alone).loss + 1)
        for (threads, tileTokens) in [(1, 1), (2, 7), (5, 16), (3, 1000)] {
            let other = gradient(student, weight: 1, threads: threads, tileTokens: tileTokens, alone: alone)
            #expect(
                other.loss == one.loss && other.gradient == one.gradient, "\(threads) threads, tiles of \(tileTokens)")
        }
    }

    @Test func networksAloneHaveTheSameGradients() {
        let student = student(), all = gradient(student, weight: 0.7), own = gradient(student, weight: 0.7, alone: true)
        for slot in student.model.replacements.specs.flatMap({ student.model.slots(of: $0) }) {
            #expect(
                largestDifference(Array(own.gradient[slot.range]), Array(all.gradient[slot.range])).value < 1e-5,
                "\(slot.name)")
        }
    }

    /// A teacher has nothing to say to a model without networks, to one whose networks span more than the heads, and to
    /// one of another shape.
    @Test func needsPlacesInCommon() {
        #expect(ContextMatching.isPossible(teacher.model, student().model))
        #expect(!ContextMatching.isPossible(teacher.model, student([]).model))
        #expect(!ContextMatching.isPossible(teacher.model, student(["elr-h8.encoder.0"]).model))
        let shallow = TransformerFixture(.tiny(layers: 1), replacing: ["mix-k3.cross.0"])
        #expect(!ContextMatching.isPossible(teacher.model, shallow.model))
    }
}
