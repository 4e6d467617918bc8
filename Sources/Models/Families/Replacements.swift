import Kernels

/// The networks that stand in the places of a model's attentions, each of one layer.
package struct Replacements: Sendable {
    package let specs: [Spec]
    /// Their parameters' names begin with the name of the place and this: `encoder.3.attention.network.`
    static let scope = "network"

    package init() { specs = [] }

    /// - Parameter specs: of one layer each, no two at the same place
    package init(_ specs: [Spec], in configuration: TransformerConfiguration) throws {
        for spec in specs {
            guard spec.layer != nil else { throw SpecError(text: "\(spec)", reason: "it names no layer") }
            _ = try spec.layers(of: spec.attention.depth(configuration))
        }
        try Self.requirePlaces(of: specs)
        self.specs = specs
    }

    /// No two networks can stand at one place.
    package static func requirePlaces(of specs: [Spec]) throws {
        for (index, spec) in specs.enumerated() {
            if let rival = specs[..<index].first(where: { $0.overlaps(spec) }) {
                throw SpecError(text: "\(spec)", reason: "\(rival) stands at the same place")
            }
        }
    }

    func spec(_ attention: Attention, _ layer: Int) -> Spec? {
        specs.first { $0.attention.captured == attention && $0.layer == layer }
    }

    /// The tensors of a spec's network are named as those of its own layout, after this prefix.
    package static func prefix(_ spec: Spec) -> String {
        let layer = spec.layer!
        let place =
            switch spec.attention {
            case .encoder: spec.family.span == .layer ? "encoder.\(layer)" : "encoder.\(layer).attention"
            case .decoder: "decoder.\(layer).attention"
            case .cross, .crossfull: "decoder.\(layer).cross"
            }
        return "\(place).\(scope)."
    }
}

extension Transformer {
    /// All attentions, or what stands for them, of the encoder and then of the decoder.
    var sublayers: [AttentionSublayer] {
        encoder.map(\.attention) + decoder.flatMap { [$0.selfAttention, $0.crossAttention] }
    }

    private var bounds: [(source: Int?, target: Int?)] { sublayers.map(\.network.bounds) }

    /// Whether some network cannot read texts of any length.
    package var isBounded: Bool { bounds.contains { $0.source != nil || $0.target != nil } }

    /// Longest source that can be translated, in tokens.
    package var maximumSource: Int { bounds.compactMap(\.source).min() ?? TransformerConfiguration.mostTokens }

    /// Most positions of a translation, `<s>` included: most tokens with `</s>`.
    package var maximumTarget: Int { bounds.compactMap(\.target).min() ?? TransformerConfiguration.mostTokens }

    /// The tensors of one network, or of everything that no network stands for.
    package func slots(of spec: Spec?) -> [Slot] {
        guard let spec else {
            let prefixes = replacements.specs.map(Replacements.prefix)
            return layout.slots.filter { slot in !prefixes.contains { slot.name.hasPrefix($0) } }
        }
        let prefix = Replacements.prefix(spec)
        return layout.slots.filter { $0.name.hasPrefix(prefix) }
    }

    /// In the order of a model's file: the Transformer's own, then those of one network after another.
    package var slotsInFileOrder: [Slot] { slots(of: nil) + replacements.specs.flatMap { slots(of: $0) } }
}
