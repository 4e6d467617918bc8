import Kernels
import Models
import Testing

struct TransformerLayoutTests {
    /// 6+6 layers, d = 128, separate tables of 8,000: counted by hand from the equations.
    @Test(arguments: [(TransformerConfiguration.Tying.none, 3), (.output, 2), (.all, 1)])
    func parameters(tying: TransformerConfiguration.Tying, tables: Int) {
        var configuration = TransformerConfiguration(sourceVocabulary: 8000, targetVocabulary: 8000)
        configuration.tying = tying
        let d = 128, attention = 4 * (d * d + d) + 2 * d, feedForward = 2 * 4 * d * d + 5 * d + 2 * d
        let layout = Transformer(configuration).layout
        #expect(layout.parameters == tables * 8000 * d + 8000 + 6 * (3 * attention + 2 * feedForward) + 2 * 2 * d)
        #expect(Set(layout.slots.map(\.name)).count == layout.slots.count)
        #expect(layout.slots.allSatisfy { $0.offset % 16 == 0 && $0.range.upperBound <= layout.count })
        #expect(zip(layout.slots, layout.slots.dropFirst()).allSatisfy { $0.range.upperBound <= $1.offset })
    }

    /// Xavier-uniform: within the bound, of its variance, the fused projection with the bound of each of its three
    /// matrices.
    @Test func initialization() {
        let configuration = TransformerConfiguration(sourceVocabulary: 50, targetVocabulary: 60)
        let fixture = TransformerFixture(configuration, seed: 3), other = TransformerFixture(configuration, seed: 4)
        for slot in fixture.model.layout.slots {
            let values = fixture.values(slot, of: fixture.weights)
            guard slot.shape.count == 2 else {
                #expect(values.allSatisfy { $0 == (slot.name.hasSuffix("norm.weight") ? 1 : 0) }, "\(slot.name)")
                continue
            }
            let fans = slot.name.hasSuffix("projection.weight") ? 256 : slot.rows + slot.columns
            let bound = (6 / Double(fans)).squareRoot(),
                variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(values.count)
            #expect(values.allSatisfy { abs(Double($0)) <= bound * 1.000001 }, "\(slot.name)")
            // Standard error of the mean of squares: bound^2 sqrt(4/45 / count).
            #expect(
                abs(variance - bound * bound / 3) < 5 * bound * bound * (4 / 45 / Double(values.count)).squareRoot(),
                "\(slot.name)")
            #expect(values != other.values(slot, of: other.weights))
        }
        let again = TransformerFixture(configuration, seed: 3)
        #expect(fixture.values(of: fixture.weights) == again.values(of: again.weights))
    }

    /// Whatever the shape of a bias: that of `slots` has one row for each head.
    @Test func biasesAndGainsDoNotDecay() throws {
        let teacher = Transformer(TransformerConfiguration(sourceVocabulary: 50, targetVocabulary: 60)).layout
        var networks = ParameterLayout()
        for family in Families.all {
            for attention in family.attentions {
                let spec = try Spec(parsing: "\(family.name)-\(family.namedSizes[0]).\(attention).0")
                _ = spec.network(TeacherShape(width: 32, heads: 2, maxTokens: 6), &networks)
            }
        }
        #expect(networks.slots.contains { $0.name == "slot.bias" })
        for slot in teacher.slots + networks.slots {
            #expect(slot.decays == (slot.shape.count > 1 && slot.name != "slot.bias"), "\(slot.name)")
        }
    }

    @Test func impossibleShapesAreNamed() {
        var configuration = TransformerConfiguration.tiny()
        #expect(configuration.problem == nil)
        configuration.heads = 3
        #expect(configuration.problem?.contains("3 heads") == true)
        configuration = .tiny(.all)
        configuration.sourceVocabulary = 12
        #expect(configuration.problem?.contains("12 source and 13 target") == true)
        configuration = .tiny(dropout: 1)
        #expect(configuration.problem != nil)
    }

    /// Memory is asked for only after this; no product of sizes may overflow.
    @Test func sizesHaveLimits() {
        func problem(_ change: (inout TransformerConfiguration) -> Void) -> String {
            var configuration = TransformerConfiguration.tiny()
            change(&configuration)
            return configuration.problem ?? "none"
        }
        for absurd in [Int.min, -1, 1 << 30, 200_000_000_000, Int.max] {
            #expect(problem { $0.encoderLayers = absurd }.hasPrefix("encoder layers: \(absurd) is not in 0...1000"))
            let sizes: [WritableKeyPath<TransformerConfiguration, Int>] = [
                \.sourceVocabulary, \.targetVocabulary, \.width, \.heads, \.hidden, \.decoderLayers, \.maxTokens,
            ]
            for size in sizes { #expect(problem { $0[keyPath: size] = absurd }.contains("\(absurd) is not in 1...")) }
        }
        for size in [\TransformerConfiguration.width, \.heads, \.decoderLayers] {
            #expect(problem { $0[keyPath: size] = 0 }.contains(": 0 is not in"))
        }
        #expect(
            problem { ($0.width, $0.hidden, $0.encoderLayers, $0.decoderLayers) = (1 << 16, 1 << 20, 1000, 1000) }
                .contains("parameters are more than"))
        #expect(problem { ($0.sourceVocabulary, $0.targetVocabulary) = (1 << 24, 1 << 24) } == "none")
        #expect(problem { ($0.width, $0.heads, $0.hidden) = (1024, 16, 4096) } == "none")
    }
}
