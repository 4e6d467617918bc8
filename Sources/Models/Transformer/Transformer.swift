import Kernels
import Tensors

/// A pre-norm encoder-decoder (Vaswani et al. 2017, with the normalisation of Xiong et al. 2020): x +
/// dropout(f(LayerNorm(x))) in every sublayer, a final LayerNorm after each stack, sinusoidal positions, an output
/// layer with bias.
///
/// The model is its shape; weights are a separate block of `layout`, so that one model serves any number of threads.
package final class Transformer {
    package let configuration: TransformerConfiguration
    package let layout: ParameterLayout
    let source: Embedding
    let target: Embedding
    let encoder: [EncoderLayer]
    let decoder: [DecoderLayer]
    let encoderNorm: LayerNorm
    let decoderNorm: LayerNorm
    let output: OutputLayer
    let positions: SinusoidalPositions

    /// What of the model stands in for attentions.
    package let replacements: Replacements

    package convenience init(_ configuration: TransformerConfiguration) { self.init(configuration, Replacements()) }

    package convenience init(_ configuration: TransformerConfiguration, _ replacements: Replacements) {
        self.init(configuration, replacements) { attention, layer in
            guard let spec = replacements.spec(attention, layer) else {
                return ContextChoice(span: .heads, spec: nil) {
                    MultiHeadAttention(configuration, attention, stream: $0, &$1)
                }
            }
            return ContextChoice(span: spec.family.span, spec: spec) { _, layout in
                layout.scope(Replacements.scope) { spec.network(configuration.shape, &$0) }
            }
        }
    }

    /// - Parameter choose: what stands at the attention of a layer
    init(
        _ configuration: TransformerConfiguration, _ replacements: Replacements,
        choosing choose: (_ attention: Attention, _ layer: Int) -> ContextChoice
    ) {
        self.configuration = configuration
        self.replacements = replacements
        let c = configuration
        var layout = ParameterLayout(), streams = 0
        /// The first of so many streams of random numbers.
        func nextStreams(_ count: Int) -> Int {
            defer { streams += count }
            return streams
        }
        func table(_ name: String, _ rows: Int, _ layout: inout ParameterLayout) -> Slot {
            layout.add(name, [rows, c.width], .xavier(fanIn: rows, fanOut: c.width))
        }
        let targetTable = table(c.tying == .all ? "embedding" : "target.embedding", c.targetVocabulary, &layout)
        let sourceTable = c.tying == .all ? targetTable : table("source.embedding", c.sourceVocabulary, &layout)
        source = Embedding(table: sourceTable, dropout: c.embeddingDropout, stream: nextStreams(1))
        target = Embedding(table: targetTable, dropout: c.embeddingDropout, stream: nextStreams(1))
        encoder = (0..<c.encoderLayers).map { index in
            let stream = nextStreams(4)
            return layout.scope("encoder.\(index)") { EncoderLayer(c, choose(.encoder, index), stream: stream, &$0) }
        }
        encoderNorm = LayerNorm("encoder.norm", width: c.width, &layout)
        decoder = (0..<c.decoderLayers).map { index in
            let stream = nextStreams(6)
            return layout.scope("decoder.\(index)") {
                DecoderLayer(
                    c, selfAttention: choose(.decoder, index), crossAttention: choose(.cross, index), stream: stream,
                    &$0)
            }
        }
        decoderNorm = LayerNorm("decoder.norm", width: c.width, &layout)
        output = OutputLayer(
            weight: c.tying == .none ? table("output.weight", c.targetVocabulary, &layout) : targetTable,
            bias: layout.add("output.bias", [c.targetVocabulary], .constant(0)))
        positions = SinusoidalPositions(width: c.width)
        self.layout = layout
    }
}

extension Transformer {
    /// The sublayer of an attention.
    func sublayer(_ attention: Attention, _ layer: Int) -> AttentionSublayer {
        switch attention {
        case .encoder: encoder[layer].attention
        case .decoder: decoder[layer].selfAttention
        case .cross, .crossfull: decoder[layer].crossAttention
        }
    }
}
