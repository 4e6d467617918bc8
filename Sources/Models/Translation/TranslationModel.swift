import CKernels
import Kernels

/// A Transformer with its weights laid out for translation. Read-only: any number of threads may use it.
package final class TranslationModel {
    let configuration: TransformerConfiguration
    let encoder: [BoundEncoderLayer]
    let encoderNorm: BoundNorm
    let decoder: [BoundDecoderLayer]
    let decoderNorm: BoundNorm
    let output: LinearPanels
    private let model: Transformer
    private let weights: BoundWeights

    /// With all weights there.
    package convenience init(_ model: Transformer, weights: FloatBlock, precision: TranslationPrecision = .float32) {
        self.init(model, weights: weights, precision: precision, prepare: { _ in }, finish: { _ in })
    }

    /// - Parameters:
    ///   - prepare: called before a network is laid out, with the spec whose weights are then wanted
    ///   - finish: called when it is, and its weights are wanted no more
    package init(
        _ model: Transformer, weights: FloatBlock, precision: TranslationPrecision, prepare: (Spec) throws -> Void,
        finish: (Spec) -> Void
    ) rethrows {
        let own = BoundWeights(block: weights, precision: precision.transformer)
        let networks = BoundWeights(block: weights, precision: precision.networks)
        func bound(_ sublayer: AttentionSublayer) throws -> BoundSublayer {
            guard let spec = sublayer.spec else { return BoundSublayer(sublayer, own, network: own) }
            try prepare(spec)
            defer { finish(spec) }
            return BoundSublayer(sublayer, own, network: networks)
        }
        self.model = model
        self.weights = own
        configuration = model.configuration
        encoder = try model.encoder.map {
            BoundEncoderLayer(try bound($0.attention), $0.feedForward.map { BoundFeedForward($0, own) })
        }
        encoderNorm = BoundNorm(model.encoderNorm, own)
        decoder = try model.decoder.map {
            BoundDecoderLayer(
                selfAttention: try bound($0.selfAttention), cross: try bound($0.crossAttention),
                BoundFeedForward($0.feedForward, own))
        }
        decoderNorm = BoundNorm(model.decoderNorm, own)
        output = LinearPanels(own[model.output.weight], bias: own[model.output.bias].base, own.precision)
    }

    /// Longest source in tokens.
    var maximumSource: Int { model.maximumSource }
    /// Most positions of a translation, `<s>` included: most tokens with `</s>`.
    var maximumTarget: Int { model.maximumTarget }

    /// Whether hypotheses are remembered in so many numbers, whatever the position and the source.
    var hasConstantState: Bool {
        decoder.allSatisfy { $0.selfAttention.attention.hasConstantState && $0.cross.attention.hasConstantState }
    }

    func embedSource(_ sentences: Packed, _ space: Workspace) -> Matrix {
        model.source.forward(sentences, positions: model.positions, Pass(weights: weights.block, workspace: space))
    }

    func embedTarget(_ rows: StepRows, _ space: Workspace) -> Matrix {
        model.target.forward(
            rows.tokens, rows.positions, positions: model.positions, Pass(weights: weights.block, workspace: space))
    }
}

/// An attention's sublayer with its weights: norm and output where they are not part of what gives the context.
struct BoundSublayer {
    let norm: BoundNorm?
    let context: BoundContext
    let output: LinearPanels?

    init(_ sublayer: AttentionSublayer, _ weights: BoundWeights, network: BoundWeights) {
        guard let frame = sublayer.frame else {
            context = sublayer.network.bind(network, output: nil)
            (norm, output) = (nil, nil)
            require(!context.isProjected, "what takes the place of a sublayer has no projection after it")
            return
        }
        context = sublayer.network.bind(network, output: OutputProjection(frame.output, weights.block))
        norm = BoundNorm(frame.norm, weights)
        output = context.isProjected ? nil : LinearPanels(frame.output, weights)
    }
}

extension BoundContext {
    var isProjected: Bool {
        switch self {
        case .sentences(let map): map.isProjected
        case .steps(let attention): attention.isProjected
        }
    }
}

/// An encoder layer with its weights.
struct BoundEncoderLayer {
    private let sublayer: BoundSublayer
    private let map: any SentenceMap
    private let feedForward: BoundFeedForward?

    /// - Parameter feedForward: nil where a network spans the layer
    init(_ sublayer: BoundSublayer, _ feedForward: BoundFeedForward?) {
        guard case .sentences(let map) = sublayer.context else { fatalError("an encoder's network maps sentences") }
        self.sublayer = sublayer
        self.map = map
        self.feedForward = feedForward
    }

    /// x becomes the layer's output.
    func callAsFunction(_ x: Matrix, _ sentences: Packed, _ space: Workspace) {
        let mark = space.mark, y = space.matrix(x.rows, x.columns)
        if let norm = sublayer.norm {
            let normed = space.matrix(x.rows, x.columns)
            norm(x, into: normed, space)
            map(normed, sentences, into: map.isProjected ? x : y, space)
            sublayer.output?(y, into: x, space, panel_add)
        } else {
            map(x, sentences, into: y, space)
            x.copy(from: y)
        }
        space.release(to: mark)
        feedForward?(x, space)
    }
}

/// x + W (attention of LayerNorm(x)) + b.
struct BoundStepSublayer {
    let norm: BoundNorm
    let attention: any StepAttention
    /// Nil where the attention is projected.
    let output: LinearPanels?

    init(_ sublayer: BoundSublayer) {
        guard case .steps(let attention) = sublayer.context, let norm = sublayer.norm else {
            fatalError("a decoder's network goes step by step")
        }
        self.norm = norm
        self.attention = attention
        output = sublayer.output
    }

    /// In place, for one more position.
    func callAsFunction(_ x: Matrix, _ rows: StepRows, _ state: any StepState, _ space: Workspace) {
        let mark = space.mark, normed = space.matrix(x.rows, x.columns), context = space.matrix(x.rows, x.columns)
        norm(x, into: normed, space)
        state.append(normed, rows, into: output == nil ? x : context, space)
        output?(context, into: x, space, panel_add)
        space.release(to: mark)
    }
}

/// A decoder layer with its weights.
struct BoundDecoderLayer {
    let selfAttention: BoundStepSublayer
    let cross: BoundStepSublayer
    let feedForward: BoundFeedForward

    init(selfAttention: BoundSublayer, cross: BoundSublayer, _ feedForward: BoundFeedForward) {
        self.selfAttention = BoundStepSublayer(selfAttention)
        self.cross = BoundStepSublayer(cross)
        self.feedForward = feedForward
    }
}
