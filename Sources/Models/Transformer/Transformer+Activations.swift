import Kernels

/// What an attention, or the layer around it, took in and put out: [tokens, d] each.
public struct Activations {
    public let input: Matrix
    public let output: Matrix
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
