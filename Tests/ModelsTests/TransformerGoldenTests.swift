import CKernels
import Foundation
import Kernels
import Models
import Tensors
import Testing

/// Values, every gradient and ten steps of training against PyTorch in double precision; `Golden/transformer.py` says
/// what is computed.
struct TransformerGoldenTests {
    static let warmup = 100.0

    let file: TensorFile
    let batch: PairBatch

    init() throws {
        let file = try TensorFile(
            path: Bundle.module.resourceURL!.appendingPathComponent("Golden/transformer.safetensors").path)
        func sentences(_ side: String) throws -> [[Int32]] {
            let tokens = try file.integers("\(side).tokens").map(Int32.init),
                offsets = try file.integers("\(side).offsets")
            return zip(offsets, offsets.dropFirst()).map { Array(tokens[$0..<$1]) }
        }
        batch = PairBatch(zip(try sentences("source"), try sentences("target")).map { (source: $0, target: $1) })
        self.file = file
    }

    private func fixture(_ tying: TransformerConfiguration.Tying) throws -> TransformerFixture {
        var configuration = TransformerConfiguration.tiny(tying, layers: tying == .all ? 1 : 2)
        (configuration.width, configuration.heads, configuration.hidden) = (16, 4, 32)
        (configuration.sourceVocabulary, configuration.targetVocabulary) = (tying == .all ? 29 : 31, 29)
        let fixture = TransformerFixture(configuration)
        for slot in fixture.model.layout.slots {
            let name = "\(tying.rawValue)/weight/\(slot.name)"
            #expect(try file.info(name).shape == slot.shape)
            for (i, value) in try file.floats(name).enumerated() { fixture.weights.base[slot.offset + i] = value }
        }
        return fixture
    }

    /// Compares every tensor by name and prints the largest difference relative to the largest number of its tensor.
    private func compare(
        _ fixture: TransformerFixture, _ block: FloatBlock, with prefix: String, within tolerance: Double,
        except skipped: (Slot) -> Range<Int>?
    ) throws {
        var worst = (value: 0.0, where: "")
        for slot in fixture.model.layout.slots {
            var expected = try file.floats("\(prefix)/\(slot.name)"), actual = fixture.values(slot, of: block)
            if let range = skipped(slot) {
                expected.replaceSubrange(range, with: repeatElement(0, count: range.count))
                actual.replaceSubrange(range, with: repeatElement(0, count: range.count))
            }
            let difference = largestDifference(actual, expected)
            if difference.value >= worst.value { worst = (difference.value, "\(slot.name)[\(difference.index)]") }
            #expect(
                difference.value <= tolerance,
                "\(prefix)/\(slot.name)[\(difference.index)]: \(actual[difference.index]), expected \(expected[difference.index])"
            )
        }
        print("\(prefix): largest relative difference \(worst.value) at \(worst.where)")
    }

    /// The bias of the keys shifts all scores of a query alike, so its true gradient is zero and the computed one is
    /// rounding.
    private func keyBias(_ slot: Slot) -> Range<Int>? {
        slot.name.hasSuffix("projection.bias") ? slot.count / 3..<2 * slot.count / 3 : nil
    }

    @Test(arguments: [TransformerConfiguration.Tying.none, .all])
    func logitsLossAndEveryGradient(tying: TransformerConfiguration.Tying) throws {
        let fixture = try fixture(tying), prefix = tying.rawValue
        let difference = largestDifference(fixture.logits(batch), try file.floats("\(prefix)/logits"))
        print("\(prefix)/logits: largest relative difference \(difference.value)")
        #expect(difference.value <= 2e-6, "logit \(difference.index)")

        let tokens = batch.labels.tokens.count, sums = fixture.trainingLoss(batch, gradientScale: 1 / Float(tokens))
        #expect(sums.tokens == tokens)
        #expect(abs(sums.mean - Double(try file.floats("\(prefix)/losses")[0])) <= 1e-6)
        try compare(fixture, fixture.gradients, with: "\(prefix)/gradient", within: 5e-6, except: keyBias)
        for slot in fixture.model.layout.slots {
            guard let range = keyBias(slot) else { continue }
            #expect(
                fixture.values(slot, of: fixture.gradients)[range].allSatisfy { abs($0) < 1e-7 },
                "key bias of \(slot.name)")
        }
    }

    @Test(arguments: [TransformerConfiguration.Tying.none, .all])
    func tenStepsOfTraining(tying: TransformerConfiguration.Tying) throws {
        let fixture = try fixture(tying), prefix = tying.rawValue, count = fixture.weights.count
        let expected = try file.floats("\(prefix)/losses"), moment1 = FloatBlock(count), moment2 = FloatBlock(count)
        for step in 1...10 {
            let sums = fixture.trainingLoss(batch, gradientScale: 1 / Float(batch.labels.tokens.count)),
                s = Double(step)
            #expect(
                abs(sums.mean - Double(expected[step - 1])) <= 2e-6,
                "loss of step \(step): \(sums.mean), expected \(expected[step - 1])")
            let rate = pow(16, -0.5) * min(pow(s, -0.5), s * pow(Self.warmup, -1.5))
            let adam = adam_t(
                rate: Float(rate), beta1: 0.9, beta2: 0.98, epsilon: 1e-9, correction1: Float(1 - pow(0.9, s)),
                correction2: Float(1 - pow(0.98, s)), decay: 0)
            adam_step(fixture.weights.base, moment1.base, moment2.base, fixture.gradients.base, count, adam)
        }
        #expect(expected[0] - expected[9] > 0.5, "the losses should move")
        try compare(fixture, fixture.weights, with: "\(prefix)/final", within: 5e-6, except: keyBias)
    }
}
