import Kernels

/// Networks in the places of a Transformer's attentions, with a parameter block of their own.
public final class Splice {
    /// Each of one layer.
    public let specs: [Spec]
    public let layout: ParameterLayout
    private let replacements: [Replacement]
    private let configuration: TransformerConfiguration

    /// - Parameter specs: of one layer each, no two at the same place
    public init(_ specs: [Spec], in configuration: TransformerConfiguration) throws {
        var layout = ParameterLayout(), replacements: [Replacement] = []
        for (index, spec) in specs.enumerated() {
            let depth = spec.attention == .encoder ? configuration.encoderLayers : configuration.decoderLayers
            _ = try spec.layers(of: depth)
            if let rival = specs[..<index].first(where: { $0.overlaps(spec) }) {
                throw SpecError(text: "\(spec)", reason: "\(rival) stands at the same place")
            }
            replacements.append(layout.scope(Self.place(spec) + ".network") {
                Replacement(spec, maxTokens: configuration.maxTokens, width: configuration.width, heads: configuration.heads, &$0)
            })
        }
        self.specs = specs
        self.layout = layout
        self.replacements = replacements
        self.configuration = configuration
    }

    /// The tensors of a spec's network are named as those of its own layout, after this prefix.
    public static func prefix(_ spec: Spec) -> String { place(spec) + ".network." }

    /// The part of the model whose tensors a spec concerns: `encoder.3.attention`.
    private static func place(_ spec: Spec) -> String {
        let layer = spec.layer!
        switch (spec.attention, spec.mode) {
        case (.encoder, .elr): return "encoder.\(layer)"
        case (.encoder, _): return "encoder.\(layer).attention"
        case (.decoder, _): return "decoder.\(layer).attention"
        case (.cross, _), (.crossfull, _): return "decoder.\(layer).cross"
        }
    }

    /// Whether a tensor of the Transformer is still used. `alr` and `aslr` take the place of the projections to queries, keys
    /// and values; `alrr` of the sublayer; `elr` of the layer.
    public func keeps(_ slot: Slot) -> Bool {
        !specs.contains { spec in
            let place = Self.place(spec) + "."
            return slot.name.hasPrefix(spec.mode.family == Mode.alr.family ? place + "projection." : place)
        }
    }

    /// The networks, bound to their weights and to what follows them in a model, for translation.
    public func bound(_ weights: FloatBlock, _ precision: Precision = .float32, in model: Transformer, _ modelWeights: FloatBlock) -> AttentionReplacements {
        var result = AttentionReplacements()
        for (spec, replacement) in zip(specs, replacements) {
            let layer = spec.layer!
            let projection = spec.mode == .alr ? BoundReplacement.Projection(model.sublayer(spec.attention, layer).output, modelWeights) : nil
            let network = BoundReplacement(replacement, weights: weights, precision: precision, projection: projection)
            switch (spec.attention, spec.mode) {
            case (.encoder, .alr), (.encoder, .aslr): result.encoder[layer] = .context(network)
            case (.encoder, .alrr): result.encoder[layer] = .sublayer(network)
            case (.encoder, .elr): result.encoder[layer] = .layer(network)
            case (.decoder, _): result.decoder[layer] = network
            case (.cross, _), (.crossfull, _): result.cross[layer] = network
            }
        }
        return result
    }
}

extension Transformer {
    func sublayer(_ attention: Attention, _ layer: Int) -> AttentionSublayer {
        switch attention {
        case .encoder: encoder[layer].attention
        case .decoder: decoder[layer].selfAttention
        case .cross, .crossfull: decoder[layer].crossAttention
        }
    }
}
