/// Networks that mix the tokens of a sentence without comparing any two of them (`mix`), or comparing each with a fixed
/// number of pooled ones (`slots`); see `MixerNetwork`. Sentences may have any length.
package struct MixerFamily: Family {
    package let name: String
    package let summary: String
    package let span = Span.heads
    package let attentions = [Attention.encoder, .decoder, .cross]
    package let otherSizes: String
    private let hasKeys: Bool
    /// Of each named size, how it is written at encoder, decoder and cross-attention.
    private let sizes: [(name: String, encoder: String, decoder: String, cross: String)]

    /// With 128 x 8 heads and six layers each, all eighteen together have an eighth, a quarter, a half and just less
    /// than the parameters of the attention (891,648) that they stand for.
    package static let mix = MixerFamily(
        name: "mix",
        summary: "perceptron over the tokens with weights made from them; any length, no token compared with another",
        otherSizes:
            "hidden units a head k, of the small networks r, rank of the values v, in this order and each from 1 to "
            + "\(MixerSize.most), such as k32r64 or k16r24v32",
        hasKeys: false,
        sizes: [
            ("xs", "k8r8v8", "k8r8v8", "k12r12v12"), ("s", "k8r16v16", "k8r16v16", "k16r20v20"),
            ("m", "k16r24v32", "k16r24v32", "k24r32v32"), ("l", "k16r48", "k16r48", "k32r60"),
        ])

    package static let slots = MixerFamily(
        name: "slots", summary: "attention over k pooled tokens (bounded-memory attention); any length",
        otherSizes: "slots k, key dimension of a head d, rank of the values v, in this order and each from 1 to "
            + "\(MixerSize.most), such as k48d12 or k16d4v32",
        hasKeys: true,
        sizes: [
            ("xs", "k8d2v16", "k8d2v16", "k16d4v16"), ("s", "k16d4v32", "k8d4v32", "k32d8v32"),
            ("m", "k32d4", "k8d4", "k48d10"), ("l", "k32d8", "k16d8", "k48d12"),
        ])

    package var namedSizes: [String] { sizes.map(\.name) }
    package func hasSize(_ text: String) -> Bool { MixerSize(text, hasKeys: hasKeys) != nil }

    func size(_ spec: Spec) -> MixerSize {
        let named = sizes.first { $0.name == spec.size }.map { size in
            switch spec.attention {
            case .encoder: size.encoder
            case .decoder: size.decoder
            case .cross, .crossfull: size.cross
            }
        }
        return MixerSize(named ?? spec.size, hasKeys: hasKeys)!
    }

    package func network(_ spec: Spec, _ shape: TeacherShape, _ layout: inout ParameterLayout) -> any DistillableNetwork
    {
        MixerNetwork(size(spec), spec.attention, shape, &layout)
    }

    package func recipe(_ spec: Spec) -> DistillationRecipe {
        var recipe = DistillationRecipe()
        // many small steps: batches of 3,000 tokens explain less, after more epochs too (Results, "Small batches")
        recipe.epochs = 3
        recipe.peak = 1e-2
        recipe.patience = 0
        recipe.batchTokens = 500
        recipe.clip = 1
        recipe.settings = [.clip, .muon]
        return recipe
    }
}
