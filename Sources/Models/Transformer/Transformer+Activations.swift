import Kernels

/// What an attention, or the layer around it, took in and put out: [tokens, d] each.
package struct Activations {
    package let input: Matrix
    package let output: Matrix
}

/// One attention of one layer and the kind of activations taken there.
package struct CapturePoint: Hashable, Sendable {
    package let span: Span
    package let attention: Attention
    package let layer: Int

    package init(span: Span, attention: Attention, layer: Int) {
        self.span = span
        self.attention = attention
        self.layer = layer
    }
}

/// A teacher-forced pass without dropout over all positions of a batch at once, and what attentions took in and put out
/// in it. One a thread, used for one batch after another.
package final class TransformerPass {
    private let model: Transformer
    private let weights: FloatBlock
    private let workspace = Workspace()
    private let trace = TransformerTrace()
    private let depth: PassDepth
    private let mapsAttention: Bool
    private var encoded: Matrix?

    /// - Parameters:
    ///   - points: the only activations that will be asked for; a pass goes no deeper than they lie
    ///   - mapsAttention: whether `attentionWeights` will be asked for
    package init(
        _ model: Transformer, weights: FloatBlock, to points: [CapturePoint]? = nil, mapsAttention: Bool = false
    ) {
        self.model = model
        self.mapsAttention = mapsAttention
        self.weights = weights
        depth = points.map { PassDepth(of: model.configuration, to: $0) } ?? PassDepth(of: model.configuration)
    }

    /// Returns the encoder's output [source tokens, d], where the pass goes through all of it. It and the activations
    /// are valid until the next batch.
    package func run(_ batch: PairBatch) -> Matrix {
        workspace.reset()
        let encoded = model.forward(batch, to: depth, trace: trace, pass).memory.x
        self.encoded = encoded
        return encoded
    }

    private var pass: Pass {
        var pass = Pass(weights: weights, workspace: workspace)
        pass.mapsAttention = mapsAttention
        return pass
    }

    /// Of the last batch, in the order of its tokens: the source's in the encoder, the target's in the decoder.
    package func activations(_ point: CapturePoint) -> Activations { trace.activations(point) }

    /// How much each output of a place owes to each token that the place reads; the last batch must have been one
    /// sentence.
    package func influence(_ attention: Attention, _ layer: Int) -> PlaceMap {
        model.sublayer(attention, layer).network.influence(
            trace.sublayer(attention, layer).context, attention, memory: attention.readsMemory ? encoded : nil, pass)
    }

    /// The weights of a place that is still attention, mean over heads, on the same terms.
    package func attentionWeights(_ attention: Attention, _ layer: Int) -> PlaceMap? {
        let context = trace.sublayer(attention, layer).context
        let keys = attention.readsMemory ? encoded!.rows : context.x.rows
        return (model.sublayer(attention, layer).network as? MultiHeadAttention)?.weights(context, keys: keys)
    }
}

/// How many layers of each stack a pass goes through.
struct PassDepth {
    private(set) var encoder: Int
    private(set) var decoder: Int

    /// All.
    init(of model: TransformerConfiguration) {
        encoder = model.encoderLayers
        decoder = model.decoderLayers
    }

    /// Those that have a part in the activations of some points.
    init(of model: TransformerConfiguration, to points: [CapturePoint]) {
        self.init(of: model)
        func deepest(isInEncoder: Bool) -> Int {
            points.filter { ($0.attention == .encoder) == isInEncoder }.map { $0.layer + 1 }.max() ?? 0
        }
        decoder = deepest(isInEncoder: false)
        if decoder == 0 { encoder = deepest(isInEncoder: true) }
    }
}

extension TransformerTrace {
    /// What a replacement of this span at this place learns from; see `Span`.
    package func activations(_ point: CapturePoint) -> Activations {
        let sublayer = sublayer(point.attention, point.layer)
        switch point.span {
        case .heads: return Activations(input: sublayer.context.x, output: sublayer.context.context)
        case .sublayer: return Activations(input: sublayer.x, output: sublayer.y)
        case .layer: return Activations(input: sublayer.x, output: encoder[point.layer].y)
        }
    }

    fileprivate func sublayer(_ attention: Attention, _ layer: Int) -> AttentionSublayer.Tape {
        switch attention {
        case .encoder: encoder[layer].attention
        case .decoder: decoder[layer].selfAttention
        case .cross, .crossfull: decoder[layer].crossAttention
        }
    }
}
