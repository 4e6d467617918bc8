import CKernels
import Kernels

@testable import Models

/// A Transformer with networks in the place of attentions, computed the long way: one sentence at a time, all positions
/// of the decoder at once by the layers that training uses, and each output of a network anew from everything that it
/// may see.
final class SpliceOracle {
    let model: Transformer
    private let weights: FloatBlock
    private var networks: [Spec: (replacement: FlattenedReplacement, layout: ParameterLayout, weights: FloatBlock)] =
        [:]
    private let space = Workspace()
    private var found: [CaptureSite: Activations] = [:]

    /// - Parameter specs: of one layer each; their networks are random and loud enough to be heard
    init(_ fixture: SearchFixture, _ specs: [Spec]) {
        (model, weights) = (fixture.model, fixture.weights)
        let shape = model.configuration
        for (index, spec) in specs.enumerated() {
            var layout = ParameterLayout()
            let replacement = FlattenedReplacement(spec, shape.shape, &layout)
            let values = layout.initialized(seed: UInt64(index + 1))
            for slot in layout.slots where slot.name.hasSuffix("second.weight") {
                for i in slot.range { values.base[i] *= 4 }
            }
            networks[spec] = (replacement, layout, values)
        }
    }

    /// The same networks as a spliced model has them.
    func spliced() throws -> (model: Transformer, weights: FloatBlock) {
        let specs = networks.keys.sorted { "\($0)" < "\($1)" }
        let spliced = Transformer(model.configuration, try Replacements(specs, in: model.configuration))
        let block = FloatBlock(spliced.layout.count)
        block.take(weights, model.layout, for: spliced.layout.slots)
        for (spec, network) in networks {
            block.take(
                network.weights, network.layout, for: spliced.slots(of: spec), dropping: Replacements.prefix(spec))
        }
        return (spliced, block)
    }

    /// Everything that is still there, for each span that it could be captured for.
    var sites: [CaptureSite] {
        [Attention.encoder, .decoder, .cross].flatMap { attention in
            (0..<2).filter { spec(attention, $0) == nil }.flatMap { layer in
                (attention == .encoder ? Span.allCases : [.heads]).map {
                    CaptureSite(span: $0, attention: attention, layer: layer)
                }
            }
        }
    }

    /// Returns the encoder's output; like `activations` it is valid until the next call.
    func run(source: [Int32], target: [Int32]) -> Matrix {
        space.reset()
        found = [:]
        let batch = PairBatch([(source, target)]), pass = Pass(weights: weights, workspace: space)
        let memory = encode(batch.source, pass)
        var x = model.target.forward(batch.target, positions: model.positions, pass)
        for (index, layer) in model.decoder.enumerated() {
            x = sublayer(layer.selfAttention, .decoder, index, x, batch.target, pass)
            x = sublayer(
                layer.crossAttention, .cross, index, x, batch.target,
                memory: EncoderOutput(x: memory, sentences: batch.source), pass)
            x = layer.feedForward.forward(x, pass).y
        }
        return memory
    }

    func activations(_ site: CaptureSite) -> Activations { found[site]! }

    private func encode(_ source: Packed, _ pass: Pass) -> Matrix {
        var x = model.source.forward(source, positions: model.positions, pass)
        for (index, layer) in model.encoder.enumerated() {
            let replaced = spec(.encoder, index), input = x
            switch replaced?.family.span {
            case .layer:
                x = predict(replaced!, x)
                continue
            case .sublayer: x = predict(replaced!, x)
            default: x = sublayer(layer.attention, .encoder, index, x, source, pass)
            }
            let output = layer.feedForward!.forward(x, pass).y
            keep(.sublayer, .encoder, index, input, x)
            keep(.layer, .encoder, index, input, output)
            x = output
        }
        return model.encoderNorm.forward(x, pass).y
    }

    private func sublayer(
        _ layer: AttentionSublayer, _ attention: Attention, _ index: Int, _ x: Matrix, _ queries: Packed,
        memory: EncoderOutput? = nil, _ pass: Pass
    ) -> Matrix {
        guard let spec = spec(attention, index) else {
            let tape = layer.forward(x, queries, memory: memory, pass)
            keep(.heads, attention, index, tape.context.x, tape.context.context)
            return tape.y
        }
        let frame = layer.frame!, normed = frame.norm.forward(x, pass).y, y = space.matrix(x.rows, x.columns)
        let context = attention == .encoder ? predict(spec, normed) : predictPrefixes(spec, normed, memory?.x)
        frame.output.forward(context, bias: true, into: y, pass)
        for row in 0..<y.rows { for c in 0..<y.columns { y[row, c] += x[row, c] } }
        return y
    }

    private func spec(_ attention: Attention, _ layer: Int) -> Spec? {
        networks.keys.first { $0.attention.captured == attention && $0.layer == layer }
    }

    private func keep(_ span: Span, _ attention: Attention, _ layer: Int, _ input: Matrix, _ output: Matrix) {
        found[CaptureSite(span: span, attention: attention, layer: layer)] = Activations(input: input, output: output)
    }

    /// Row i from the first i + 1 rows alone.
    private func predictPrefixes(_ spec: Spec, _ x: Matrix, _ memory: Matrix?) -> Matrix {
        let y = space.matrix(x.rows, x.columns)
        for i in 0..<x.rows { y.rows(i..<i + 1).copy(from: predict(spec, x.rows(0..<i + 1), memory).rows(i..<i + 1)) }
        return y
    }

    /// The output of a network for one sentence, by its training.
    private func predict(_ spec: Spec, _ x: Matrix, _ memory: Matrix? = nil) -> Matrix {
        let (replacement, _, weights) = networks[spec]!
        let training = FlattenedTraining(replacement, weights: weights, pool: WorkerPool(threads: 1))
        func side(_ x: Matrix) -> FlattenedSide {
            FlattenedSide(order: PositionMajor(lengths: [x.rows], limit: model.configuration.maxTokens), x: x)
        }
        let result = space.matrix(x.rows, x.columns)
        let seen = replacement.shape.attention.readsMemory ? memory.map(side) : nil
        result.copy(from: training.predict(FlattenedBatch(target: side(x), memory: seen)))
        return withExtendedLifetime(training) { result }
    }
}

extension FloatBlock {
    /// Weights under the same names in another layout; slots without any stay as they are.
    func take(_ weights: FloatBlock, _ layout: ParameterLayout, for slots: [Slot], dropping prefix: String = "") {
        for slot in slots {
            guard let from = layout.slots.first(where: { prefix + $0.name == slot.name }) else { continue }
            (base + slot.offset).update(from: weights.base + from.offset, count: slot.count)
        }
    }
}
