import Kernels

/// A pre-norm encoder-decoder (Vaswani et al. 2017, with the normalisation of Xiong et al. 2020): x +
/// dropout(f(LayerNorm(x))) in every sublayer, a final LayerNorm after each stack, sinusoidal positions, an output
/// layer with bias.
///
/// The model is its shape; weights are a separate block of `layout`, so that one model serves any number of threads.
public final class Transformer {
    public let configuration: TransformerConfiguration
    public let layout: ParameterLayout
    let source: Embedding
    let target: Embedding
    let encoder: [EncoderLayer]
    let decoder: [DecoderLayer]
    let encoderNorm: LayerNorm
    let decoderNorm: LayerNorm
    let output: OutputLayer
    let positions: SinusoidalPositions

    /// What of the model stands in for attentions.
    public let replacements: Replacements

    public convenience init(_ configuration: TransformerConfiguration) { self.init(configuration, Replacements()) }

    public convenience init(_ configuration: TransformerConfiguration, _ replacements: Replacements) {
        self.init(configuration, replacements) { attention, layer in
            guard let spec = replacements.spec(attention, layer) else {
                return ContextChoice(span: .heads, spec: nil) {
                    MultiHeadAttention(configuration, attention, site: $0, &$1)
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
        var layout = ParameterLayout(), sites = 0
        func nextSites(_ count: Int) -> Range<Int> {
            defer { sites += count }
            return sites..<sites + count
        }
        func table(_ name: String, _ rows: Int, _ layout: inout ParameterLayout) -> Slot {
            layout.add(name, [rows, c.width], .xavier(fanIn: rows, fanOut: c.width))
        }
        let targetTable = table(c.tying == .all ? "embedding" : "target.embedding", c.targetVocabulary, &layout)
        let sourceTable = c.tying == .all ? targetTable : table("source.embedding", c.sourceVocabulary, &layout)
        source = Embedding(table: sourceTable, dropout: c.embeddingDropout, site: nextSites(1).lowerBound)
        target = Embedding(table: targetTable, dropout: c.embeddingDropout, site: nextSites(1).lowerBound)
        encoder = (0..<c.encoderLayers).map { index in
            let sites = nextSites(4)
            return layout.scope("encoder.\(index)") { EncoderLayer(c, choose(.encoder, index), sites: sites, &$0) }
        }
        encoderNorm = LayerNorm("encoder.norm", width: c.width, &layout)
        decoder = (0..<c.decoderLayers).map { index in
            let sites = nextSites(6)
            return layout.scope("decoder.\(index)") {
                DecoderLayer(c, own: choose(.decoder, index), cross: choose(.cross, index), sites: sites, &$0)
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

/// Sentence pairs of one slice of a batch: the source, the decoder's input (`<s>` first) and what it is to say (`</s>`
/// last).
public struct PairBatch {
    public var source = Packed()
    public var target = Packed()
    public var labels = Labels()

    public init() {}

    public mutating func removeAll() {
        source.removeAll()
        target.removeAll()
        labels.removeAll()
    }

    public mutating func append(source: ArraySlice<Int32>, target: ArraySlice<Int32>) {
        self.source.append(sentence: source)
        self.target.append(Special.begin)
        for token in target {
            self.target.append(token)
            labels.tokens.append(token)
        }
        labels.tokens.append(Special.end)
        self.target.endSentence()
    }
}

/// Ids that mean the same in every vocabulary.
public enum Special {
    public static let unknown: Int32 = 0
    public static let begin: Int32 = 1
    public static let end: Int32 = 2
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
