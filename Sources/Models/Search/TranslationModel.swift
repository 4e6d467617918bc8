import CKernels
import Kernels

/// Networks that stand for attentions, by layer.
public struct AttentionReplacements {
    public var encoder: [Int: EncoderReplacement] = [:]
    public var decoder: [Int: any StepAttention] = [:]
    public var cross: [Int: any StepAttention] = [:]

    public init() {}
}

/// A Transformer with its weights laid out for translation. Read-only: any number of threads may use it.
public final class TranslationModel {
    let configuration: TransformerConfiguration
    let encoder: [BoundEncoderLayer]
    let encoderNorm: BoundNorm
    let decoder: [BoundDecoderLayer]
    let decoderNorm: BoundNorm
    let output: PackedLinear
    private let model: Transformer
    private let weights: BoundWeights

    public init(
        _ model: Transformer, weights: FloatBlock, precision: Precision = .float32, replacing replacements: AttentionReplacements = AttentionReplacements()
    ) {
        let weights = BoundWeights(block: weights, precision: precision)
        self.model = model
        self.weights = weights
        configuration = model.configuration
        encoder = model.encoder.enumerated().map { BoundEncoderLayer($1, replacements.encoder[$0], weights) }
        encoderNorm = BoundNorm(model.encoderNorm, weights)
        decoder = model.decoder.enumerated().map { BoundDecoderLayer($1, own: replacements.decoder[$0], cross: replacements.cross[$0], weights) }
        decoderNorm = BoundNorm(model.decoderNorm, weights)
        output = PackedLinear(weights[model.output.weight], bias: weights[model.output.bias].base, weights.precision)
    }

    /// Longest source in tokens.
    public var maximumSource: Int {
        let bounds = encoder.map(\.maximumTokens) + decoder.flatMap { [$0.own.attention.maximumSource, $0.cross.attention.maximumSource] }
        return bounds.reduce(SinusoidalPositions.limit) { min($0, $1 ?? $0) }
    }

    /// Most positions of a translation, `<s>` included: most tokens with `</s>`.
    public var maximumTarget: Int {
        let bounds = decoder.flatMap { [$0.own.attention.maximumTarget, $0.cross.attention.maximumTarget] }
        return bounds.reduce(SinusoidalPositions.limit) { min($0, $1 ?? $0) }
    }

    func embedSource(_ sentences: Packed, _ space: Workspace) -> Matrix {
        model.source.forward(sentences, positions: model.positions, Pass(weights: weights.block, workspace: space))
    }

    func embedTarget(_ rows: StepRows, _ space: Workspace) -> Matrix {
        model.target.forward(rows.tokens, rows.positions, positions: model.positions, Pass(weights: weights.block, workspace: space))
    }
}

/// An encoder layer with its weights, or with a network in the place of its attention, its sublayer or all of it.
struct BoundEncoderLayer {
    private enum Attention {
        /// Without an output where the map is projected.
        case context(norm: BoundNorm, any SentenceMap, output: PackedLinear?)
        case sublayer(any SentenceMap)
    }

    private let attention: Attention
    private let feedForward: BoundFeedForward?
    let maximumTokens: Int?

    init(_ layer: EncoderLayer, _ replacement: EncoderReplacement?, _ weights: BoundWeights) {
        let sublayer = layer.attention
        func around(_ map: any SentenceMap) -> Attention {
            .context(norm: BoundNorm(sublayer.norm, weights), map, output: map.isProjected ? nil : PackedLinear(sublayer.output, weights))
        }
        let map: any SentenceMap
        var keepsFeedForward = true
        switch replacement {
        case nil:
            map = EncoderAttention(sublayer.attention, weights)
            attention = around(map)
        case .context(let network):
            map = network
            attention = around(map)
        case .sublayer(let network):
            map = network
            attention = .sublayer(map)
        case .layer(let network):
            map = network
            attention = .sublayer(map)
            keepsFeedForward = false
        }
        if case .sublayer = attention { require(!map.isProjected, "what takes the place of a sublayer has no projection after it") }
        maximumTokens = map.maximumTokens
        feedForward = keepsFeedForward ? BoundFeedForward(layer.feedForward, weights) : nil
    }

    /// x becomes the layer's output.
    func callAsFunction(_ x: Matrix, _ sentences: Packed, _ space: Workspace, _ watch: ActivationWatch? = nil) {
        watch?(.input, x)
        let mark = space.mark, y = space.matrix(x.rows, x.columns)
        switch attention {
        case .context(let norm, let map, let output):
            let normed = space.matrix(x.rows, x.columns)
            norm(x, into: normed, space)
            map(normed, sentences, into: output == nil ? x : y, space)
            watch?(.normed, normed)
            guard let output else { break }
            watch?(.context, y)
            output(y, into: x, space, panel_add)
        case .sublayer(let map):
            map(x, sentences, into: y, space)
            x.copy(from: y)
        }
        space.release(to: mark)
        watch?(.attended, x)
        feedForward?(x, space)
        watch?(.output, x)
    }
}

/// x + W (attention of LayerNorm(x)) + b.
struct BoundStepSublayer {
    let norm: BoundNorm
    let attention: any StepAttention
    /// Nil where the attention is projected.
    let output: PackedLinear?

    /// In place, for one more position.
    func callAsFunction(_ x: Matrix, _ rows: StepRows, _ state: any StepState, _ space: Workspace, _ watch: ActivationWatch? = nil) {
        let mark = space.mark, normed = space.matrix(x.rows, x.columns), context = space.matrix(x.rows, x.columns)
        norm(x, into: normed, space)
        state.append(normed, rows, into: output == nil ? x : context, space)
        watch?(.normed, normed)
        if let output {
            watch?(.context, context)
            output(context, into: x, space, panel_add)
        }
        space.release(to: mark)
    }
}

/// A decoder layer with its weights, or with networks in the place of its attentions.
struct BoundDecoderLayer {
    let own: BoundStepSublayer
    let cross: BoundStepSublayer
    let feedForward: BoundFeedForward

    init(_ layer: DecoderLayer, own: (any StepAttention)?, cross: (any StepAttention)?, _ weights: BoundWeights) {
        func bind(_ sublayer: AttentionSublayer, _ attention: any StepAttention) -> BoundStepSublayer {
            BoundStepSublayer(
                norm: BoundNorm(sublayer.norm, weights), attention: attention,
                output: attention.isProjected ? nil : PackedLinear(sublayer.output, weights))
        }
        self.own = bind(layer.selfAttention, own ?? DecoderAttention(layer.selfAttention.attention, weights))
        self.cross = bind(layer.crossAttention, cross ?? CrossAttention(layer.crossAttention.attention, weights))
        feedForward = BoundFeedForward(layer.feedForward, weights)
    }
}
