import CKernels
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Models

/// Mixers against PyTorch (`Golden/mixers.py`), and in translation against the pass that trains them.
struct MixerNetworkTests {
    private static let attentions = ["encoder", "decoder", "cross"]
    private static let sizes = [
        "mix-k3", "mix-k3r5", "mix-k3r5v3", "slots-k3d2", "slots-k3d2v3", "mix-k16r4", "slots-k9d5",
    ]

    /// A network with weights of its own.
    private struct Fixture {
        let network: any ContextNetwork
        let layout: ParameterLayout
        let weights: FloatBlock

        init(_ text: String, width: Int = 8, heads: Int = 2, loud: Float = 1) throws {
            var layout = ParameterLayout()
            network = try Spec(parsing: text).network(TeacherShape(width: width, heads: heads, maxTokens: 6), &layout)
            self.layout = layout
            weights = layout.initialized(seed: 5)
            for slot in layout.slots {
                for i in slot.range {
                    if slot.name.hasPrefix("pool.weight") { weights.base[i] *= loud }
                    if slot.name.hasSuffix("bias") { weights.base[i] = Float((i * 37) % 11 - 5) / 20 }
                }
            }
        }
    }

    private func random(_ rows: Int, _ columns: Int, _ stream: UInt32, _ space: Workspace) -> Matrix {
        let x = space.matrix(rows, columns)
        random_uniform(x.base, x.count, 7, stream, 0)
        for i in 0..<x.count { x.base[i] = 4 * x.base[i] - 2 }
        return x
    }

    // MARK: - PyTorch

    @Test(
        arguments: [
            "mix-k3", "mix-k3r5", "mix-k3r5v3", "mix-k3v3-large", "slots-k3d2-shared", "slots-k3d2v3-shared-large",
        ], attentions)
    func outputsAndEveryGradient(_ name: String, _ attention: String) throws {
        let file = try TensorFile(
            path: Bundle.module.resourceURL!.appendingPathComponent("Golden/mixers.safetensors").path)
        let fixture = try Fixture(name.split(separator: "-").prefix(2).joined(separator: "-") + "." + attention),
            space = Workspace()
        let prefix = "\(name).\(attention)."
        func matrix(_ name: String) throws -> Matrix {
            let shape = try file.info(name).shape, values = try file.floats(name),
                x = space.matrix(shape[0], shape.count > 1 ? shape[1] : 1)
            for (i, value) in values.enumerated() { x.base[i] = value }
            return x
        }
        for slot in fixture.layout.slots {
            #expect(try file.info(prefix + slot.name).shape == slot.shape, "\(slot.name)")
            for (i, value) in try file.floats(prefix + slot.name).enumerated() {
                fixture.weights.base[slot.offset + i] = value
            }
        }
        let x = try matrix("x"), sentences = Packed(try file.integers("lengths")),
            gradients = FloatBlock(fixture.layout.count)
        let memory =
            attention == "cross"
            ? EncoderOutput(x: try matrix("memory"), sentences: Packed(try file.integers("memory.lengths"))) : nil
        let pass = Pass(weights: fixture.weights, gradients: gradients, workspace: space)
        let tape = fixture.network.forward(x, sentences, memory: memory, pass)
        expectClose(tape.context, try matrix(prefix + "output"), within: 1e-5, "\(prefix)output")
        let dx = space.matrix(x.rows, x.columns), dmemory = memory.map { space.zeros($0.x.rows, $0.x.columns) }
        fixture.network.backward(
            tape, sentences, memory: memory, dcontext: try matrix("random"), dx: dx, dmemory: dmemory, pass)
        expectClose(dx, try matrix(prefix + "gradient.x"), within: 2e-5, "\(prefix)gradient.x")
        if let dmemory {
            expectClose(dmemory, try matrix(prefix + "gradient.memory"), within: 2e-5, "\(prefix)gradient.memory")
        }
        for slot in fixture.layout.slots {
            let expected = try file.floats(prefix + "gradient." + slot.name),
                scale = max(expected.map(abs).max()!, 1e-2)
            let worst = zip(expected, gradients.buffer[slot.range]).map { abs($0 - $1) }.worst
            #expect(worst < 2e-5 * scale, "\(prefix)\(slot.name): largest difference \(worst) of \(scale)")
        }
    }

    // MARK: - Translation

    /// Position by position, and of whole sentences, the same as the pass that trains: at small lengths and at 1,000
    /// tokens, with pooling logits far beyond the limit too.
    @Test(arguments: sizes, attentions)
    func translationSaysWhatTrainingSays(_ size: String, _ attention: String) throws {
        for (loud, lengths) in [(Float(1), [3, 1, 0, 7, 2]), (60, [4, 9]), (1, [1000, 17])] {
            let fixture = try Fixture("\(size).\(attention)", loud: loud), space = Workspace(),
                what = "\(size).\(attention), pooling times \(loud), \(lengths)"
            let sources = Packed(lengths.reversed()), sentences = attention == "encoder" ? sources : Packed(lengths)
            let x = random(sentences.tokens, 8, 1, space),
                memory = EncoderOutput(x: random(sources.tokens, 8, 2, space), sentences: sources)
            let expected = fixture.network.forward(
                x, sentences, memory: attention == "cross" ? memory : nil,
                Pass(weights: fixture.weights, workspace: space)
            ).context
            let found = space.matrix(x.rows, 8)
            switch fixture.network.bind(BoundWeights(block: fixture.weights, precision: .float32), output: nil) {
            case .sentences(let map):
                map(x, sentences, into: found, Workspace())
            case .steps(let steps):
                step(steps, x, sentences, memory, into: found)
            }
            expectClose(found, expected, within: 1e-5, what)
        }
    }

    private func step(
        _ steps: any StepAttention, _ x: Matrix, _ sentences: Packed, _ memory: EncoderOutput, into y: Matrix
    ) {
        let state = steps.makeState(), space = Workspace(), lasting = Workspace(), count = sentences.sentences
        state.begin(memory.x, memory.sentences, slots: 2 * count, lasting)
        var rows = StepRows(), position = 0
        while true {
            rows.removeAll()
            let alive = (0..<count).filter { sentences.length($0) > position }
            guard !alive.isEmpty else { return }
            // hypotheses change their slots on the way
            let moved = position % 2
            for s in alive {
                if position > 0 { state.copy(from: 2 * s + 1 - moved, to: 2 * s + moved, positions: position) }
                rows.tokens.append(3)
                rows.slots.append(Int32(2 * s + moved))
                rows.sentences.append(Int32(s))
                rows.sourceLengths.append(Int32(memory.sentences.length(s)))
            }
            rows.setPosition(position)
            let input = space.matrix(alive.count, 8), output = space.matrix(alive.count, 8)
            for (row, s) in alive.enumerated() {
                input.row(row).update(from: x.row(sentences.offsets[s] + position), count: 8)
            }
            state.append(input, rows, into: output, space)
            for (row, s) in alive.enumerated() {
                y.row(sentences.offsets[s] + position).update(from: output.row(row), count: 8)
            }
            space.reset()
            position += 1
        }
    }

    /// A sentence's context does not depend on the batch that it is in, to the last bit.
    @Test(arguments: sizes, attentions)
    func aSentenceAloneHasTheSameBits(_ size: String, _ attention: String) throws {
        let fixture = try Fixture("\(size).\(attention)"), space = Workspace(), lengths = [5, 1, 12, 3],
            sources = Packed([2, 9, 1, 4])
        let sentences = Packed(lengths), x = random(sentences.tokens, 8, 1, space),
            m = random(sources.tokens, 8, 2, space)
        let pass = Pass(weights: fixture.weights, workspace: space), isCross = attention == "cross"
        let all = fixture.network.forward(
            x, sentences, memory: isCross ? EncoderOutput(x: m, sentences: sources) : nil, pass
        ).context
        for s in lengths.indices {
            let memory =
                isCross ? EncoderOutput(x: m.rows(sources.range(s)), sentences: Packed([sources.length(s)])) : nil
            let alone = fixture.network.forward(x.rows(sentences.range(s)), Packed([lengths[s]]), memory: memory, pass)
                .context
            for row in 0..<lengths[s] {
                for c in 0..<8 {
                    #expect(
                        alone[row, c].bitPattern == all[sentences.offsets[s] + row, c].bitPattern,
                        "\(size).\(attention) sentence \(s)")
                }
            }
        }
    }

    // MARK: - Sizes

    private func parameters(_ text: String) throws -> Int {
        var layout = ParameterLayout()
        _ = try Spec(parsing: text).network(TeacherShape(width: 128, heads: 8, maxTokens: 50), &layout)
        return layout.parameters
    }

    /// phi and chi of r hidden units and the values; phi has no bias in the end.
    @Test(arguments: [("mix-k32r60.cross", 32, 60), ("mix-k16r48.encoder", 16, 48), ("mix-k5r3.decoder", 5, 3)])
    func parametersOfMix(_ text: String, K: Int, r: Int) throws {
        let (d, h) = (128, 8)
        #expect(try parameters(text) == 2 * (d * r + r + r * h * K) + h * K + d * d + d)
    }

    /// phi, shared by the heads, keys and queries, the bias of a slot, and the values.
    @Test(arguments: [("slots-k48d12.cross", 48, 12), ("slots-k32d8.encoder", 32, 8), ("slots-k5d3.decoder", 5, 3)])
    func parametersOfSlots(_ text: String, K: Int, key: Int) throws {
        let (d, h) = (128, 8)
        #expect(try parameters(text) == d * K + 2 * d * h * key + h * key + h * K + d * d + d)
    }

    /// At all eighteen places of six and six layers: the share of the attention's own 891,648.
    @Test(arguments: [
        ("mix-l", 1.0), ("mix-m", 0.5), ("mix-s", 0.25), ("mix-xs", 0.14), ("slots-l", 0.81), ("slots-m", 0.67),
        ("slots-s", 0.5),
    ])
    func allPlacesTogetherAreSmaller(_ name: String, _ share: Double) throws {
        let all = 6 * (try Self.attentions.map { try parameters("\(name).\($0)") }.reduce(0, +))
        #expect(Double(all) <= share * 891_648, "\(name): \(all)")
    }

    @Test(arguments: ["mix-k32r64", "mix-k1", "mix-k24r32v32", "mix-k8v4", "slots-k48d12", "slots-k16d4v32"])
    func sizesArePrintedAsTheyAreRead(_ text: String) throws {
        #expect(try Spec(parsing: text + ".cross.2").description == text + ".cross.2")
    }

    @Test(arguments: [
        "mix-r3", "mix-k0", "mix-k03", "mix-k3d2", "mix-k3r", "mix-k3v2r1", "mix-k5000", "slots-k3", "slots-k3r2d1",
        "slots-k3d2x", "mix-h96",
    ])
    func otherSizesAreRefused(_ text: String) {
        let error = #expect(throws: SpecError.self) { try Spec(parsing: text + ".cross") }
        let first = text.hasPrefix("mix") ? "hidden units" : "slots"
        #expect(error?.reason.contains("is none of xs s m l, nor \(first) ") == true, "\(String(describing: error))")
    }
}
