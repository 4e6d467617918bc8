import Kernels
import Models
import Testing

/// Every tensor's gradient against differences of the whole model's loss.
struct TransformerGradientTests {
    private static let variants: [(TransformerConfiguration.Tying, Int, Float)] = TransformerConfiguration.Tying
        .allCases.flatMap {
            [($0, 1, 0), ($0, 2, 0.25)]
        }

    /// Half of the hidden units are far on, half far off, so that no difference straddles the corner of a ReLU, leaky
    /// or not.
    private func prepare(_ fixture: TransformerFixture) {
        for slot in fixture.model.layout.slots {
            for i in slot.range {
                // Norms away from 1, biases away from 0: a term that is missing must show.
                let wobble = 0.2 * Float((i * 37) % 11 - 5) / 5
                if slot.shape.count == 1 { fixture.weights.base[i] += wobble }
                if slot.name.hasSuffix("up.bias") || slot.name.hasSuffix("first.bias") {
                    fixture.weights.base[i] = (i % 2 == 0 ? 6 : -6) + wobble
                }
            }
        }
    }

    /// d/dt loss(weights + t direction) at 0, to fourth order in the step.
    private func difference(
        _ fixture: TransformerFixture, _ slot: Slot, _ direction: [Float], _ batch: PairBatch, _ randomness: Randomness
    ) -> Double {
        let start = fixture.values(slot, of: fixture.weights), step: Float = 0.02
        func loss(_ t: Float) -> Double {
            for i in start.indices { fixture.weights.base[slot.offset + i] = start[i] + t * direction[i] }
            return fixture.loss(batch, randomness: randomness).loss
        }
        let near = loss(step) - loss(-step), far = loss(2 * step) - loss(-2 * step)
        for i in start.indices { fixture.weights.base[slot.offset + i] = start[i] }
        return (8 * near - far) / (12 * Double(step))
    }

    @Test(arguments: variants)
    func agreesWithDifferences(tying: TransformerConfiguration.Tying, layers: Int, dropout: Float) {
        let fixture = TransformerFixture(.tiny(tying, layers: layers, dropout: dropout))
        check(
            fixture, dropout == 0 ? Randomness.off : Randomness(seed: 11, step: 3),
            "tying \(tying), \(layers) layers, dropout \(dropout)")
    }

    /// Every family at every attention that it may stand at, and all attentions of a model at once.
    @Test(arguments: [
        "alr-h32.encoder.0", "alrr-h32.encoder.0", "aslr-h32.encoder.0", "elr-h32.encoder.0", "alr-h32.decoder.0",
        "alr-h32.cross.0",
        "alr-h32.crossfull.0", "alr-h32.encoder.0+alr-h32.decoder.0+alr-h32.cross.0", "mix-k3.encoder.0",
        "mix-k3r5v3.decoder.0", "mix-k3r5.cross.0",
        "slots-k3d2.encoder.0", "slots-k3d2v3.decoder.0", "slots-k3d2.cross.0",
        "mix-k3.encoder.0+slots-k3d2.decoder.0+mix-k2r4.cross.0",
    ])
    func networksInPlaceAgreeWithDifferences(_ text: String) {
        var shape = TransformerConfiguration.tiny()
        shape.maxTokens = 7
        check(TransformerFixture(shape, replacing: text.split(separator: "+").map(String.init)), .off, text)
    }

    private func check(_ fixture: TransformerFixture, _ randomness: Randomness, _ what: String) {
        let batch = PairBatch(PairBatch.awkwardPairs)
        prepare(fixture)
        _ = fixture.trainingLoss(batch, gradientScale: 1, randomness: randomness)
        var worst = (value: 0.0, name: "")
        for slot in fixture.model.layout.slots {
            let gradient = fixture.values(slot, of: fixture.gradients)
            // One direction that involves all weights of the tensor, and a few weights alone.
            var directions = [
                gradient.indices.map { Float(($0 * 29) % 7 - 3) / (3 * Float(gradient.count).squareRoot()) }
            ]
            for pick in 0..<4 {
                directions.append([Float](repeating: 0, count: gradient.count))
                directions[pick + 1][(pick * 31 + 5) % gradient.count] = 1
            }
            let size = Double(gradient.reduce(0) { max($0, abs($1)) })
            for direction in directions {
                let expected = difference(fixture, slot, direction, batch, randomness)
                let actual = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                let relative = abs(actual - expected) / max(size, 0.1)
                if relative > worst.value { worst = (relative, slot.name) }
                #expect(relative < 2e-3, "\(slot.name): \(actual), differences say \(expected)")
            }
        }
        print("\(what): largest difference \(worst.value) of the tensor's largest gradient, at \(worst.name)")
    }

    @Test func gradientsAreAddedAndScaled() {
        let fixture = TransformerFixture(.tiny()), batch = PairBatch(PairBatch.awkwardPairs)
        _ = fixture.loss(batch, gradientScale: 1)
        let once = fixture.values(of: fixture.gradients)
        _ = fixture.loss(batch, gradientScale: 0.5)
        #expect(largestDifference(fixture.values(of: fixture.gradients), once.map { 1.5 * $0 }).value < 1e-6)
    }
}
