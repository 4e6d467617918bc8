import Kernels

/// Networks in the places of a Transformer's attentions, with a parameter block of their own.
public final class Splice {
    /// Each of one layer.
    public let specs: [Spec]
    public let layout: ParameterLayout
    private let configuration: TransformerConfiguration

    /// - Parameter specs: of one layer each, no two at the same place
    public init(_ specs: [Spec], in configuration: TransformerConfiguration) throws {
        var layout = ParameterLayout()
        for (index, spec) in specs.enumerated() {
            let depth = spec.attention == .encoder ? configuration.encoderLayers : configuration.decoderLayers
            _ = try spec.layers(of: depth)
            if let rival = specs[..<index].first(where: { $0.overlaps(spec) }) {
                throw SpecError(text: "\(spec)", reason: "\(rival) stands at the same place")
            }
            _ = Self.network(spec, configuration, &layout)
        }
        self.specs = specs
        self.layout = layout
        self.configuration = configuration
    }

    private static func network(_ spec: Spec, _ configuration: TransformerConfiguration, _ layout: inout ParameterLayout) -> Replacement {
        layout.scope(place(spec) + ".network") {
            Replacement(spec, maxTokens: configuration.maxTokens, width: configuration.width, heads: configuration.heads, &$0)
        }
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

    /// The networks for translation, one after another, so that the weights of only one are there as they were learnt.
    ///
    /// - Parameters:
    ///   - weights: of the model, whose output projections become part of the networks
    ///   - read: fills a block with one network's weights; the slots are named as in `layout`
    public func bound(
        in model: Transformer, _ weights: FloatBlock, _ precision: Precision = .float32, reading read: (FloatBlock, [Slot]) throws -> Void
    ) rethrows -> AttentionReplacements {
        var result = AttentionReplacements(), block = FloatBlock(0)
        for spec in specs {
            var layout = ParameterLayout()
            let replacement = Self.network(spec, configuration, &layout), layer = spec.layer!
            if block.count < layout.count { block = FloatBlock(layout.count) }
            try read(block, layout.slots)
            let projection = spec.mode == .alr ? BoundReplacement.Projection(model.sublayer(spec.attention, layer).output, weights) : nil
            let network = BoundReplacement(replacement, weights: block, precision: precision, projection: projection)
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
