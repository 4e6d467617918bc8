import Kernels

/// What an attention, or the layer around it, took in and put out: [tokens, d] each.
public struct Activations {
    public let input: Matrix
    public let output: Matrix
}

/// One attention of one layer and the kind of activations taken there.
public struct CaptureSite: Hashable, Sendable {
    public let mode: Mode
    public let attention: Attention
    public let layer: Int

    public init(mode: Mode, attention: Attention, layer: Int) {
        self.mode = mode
        self.attention = attention
        self.layer = layer
    }
}

/// A teacher-forced pass without dropout, and what attentions took in and put out in it. One a thread, used for one batch
/// after another.
public protocol ActivationPass: AnyObject {
    /// Returns the encoder's output [source tokens, d]. It and the activations are valid until the next batch.
    func run(_ batch: PairBatch) -> Matrix
    /// Of the last batch, in the order of its tokens: the source's in the encoder, the target's in the decoder.
    func activations(_ site: CaptureSite) -> Activations
}

/// All positions of a batch at once, by a model whose attentions are all there.
public final class TransformerPass: ActivationPass {
    private let model: Transformer
    private let weights: FloatBlock
    private let workspace = Workspace()
    private let trace = TransformerTrace()

    public init(_ model: Transformer, weights: FloatBlock) {
        self.model = model
        self.weights = weights
    }

    public func run(_ batch: PairBatch) -> Matrix {
        workspace.reset()
        return model.forward(batch, trace: trace, Pass(weights: weights, workspace: workspace))
    }

    public func activations(_ site: CaptureSite) -> Activations { trace.activations(site.mode, site.attention, layer: site.layer) }
}

extension Transformer {
    /// A teacher-forced forward pass that leaves its activations in `trace`, valid until the workspace is reset. Returns the
    /// encoder's output [source tokens, d].
    public func forward(_ batch: PairBatch, trace: TransformerTrace, _ pass: Pass) -> Matrix {
        trace.removeAll()
        let encoded = encode(batch.source, trace: trace, pass)
        _ = decode(batch.target, memory: (encoded.y, batch.source), trace: trace, pass)
        return encoded.y
    }
}

extension TransformerTrace {
    /// What a replacement of `mode` at this place learns from.
    public func activations(_ mode: Mode, _ attention: Attention, layer: Int) -> Activations {
        let sublayer = sublayer(attention, layer)
        switch mode {
        case .alr, .aslr: return Activations(input: sublayer.norm.y, output: sublayer.attention.context)
        case .alrr: return Activations(input: sublayer.norm.x, output: sublayer.y)
        case .elr: return Activations(input: sublayer.norm.x, output: encoder[layer].y)
        }
    }

    private func sublayer(_ attention: Attention, _ layer: Int) -> AttentionSublayer.Tape {
        switch attention {
        case .encoder: encoder[layer].attention
        case .decoder: decoder[layer].selfAttention
        case .cross, .crossfull: decoder[layer].crossAttention
        }
    }
}
