/// The paper's networks over a flattened sentence (Bozic et al. 2024): one family for each of its four modes.
package struct FlattenedFamily: Family {
    package let name: String
    package let summary: String
    package let span: Span
    package let attentions: [Attention]
    /// Each head has a network of its own.
    let hasNetworkPerHead: Bool

    package static let alr = FlattenedFamily(
        name: "alr", summary: "attention layer: normed input to concatenated heads", span: .heads,
        attentions: Attention.allCases, hasNetworkPerHead: false)
    package static let alrr = FlattenedFamily(
        name: "alrr", summary: "attention layer with its residual", span: .sublayer, attentions: [.encoder],
        hasNetworkPerHead: false)
    package static let aslr = FlattenedFamily(
        name: "aslr", summary: "as alr, each head a network of its own", span: .heads, attentions: [.encoder],
        hasNetworkPerHead: true)
    package static let elr = FlattenedFamily(
        name: "elr", summary: "the whole encoder layer", span: .layer, attentions: [.encoder], hasNetworkPerHead: false)

    package static let all = [alr, alrr, aslr, elr]

    package var namedSizes: [String] { FlattenedSize.named.map(\.description) }
    package var otherSizes: String { "a width from 1 to \(FlattenedSize.widest), such as h96" }
    package func hasSize(_ text: String) -> Bool { FlattenedSize(text) != nil }

    package func network(_ spec: Spec, _ shape: TeacherShape, _ layout: inout ParameterLayout) -> any DistillableNetwork
    {
        FlattenedReplacement(spec, shape, &layout)
    }

    package func recipe(_ spec: Spec) -> DistillationRecipe {
        var recipe = DistillationRecipe()
        // a causal network has an output for every prefix to learn from
        recipe.peak = spec.attention.isCausal ? 1e-2 : 3e-3
        // wide networks overfit 29,000 sentences; narrow ones cannot learn even what they see
        recipe.dropout = FlattenedSize(spec.size)!.isNarrow ? 0 : 0.1
        recipe.settings = [.dropout]
        recipe.paperPeak = name == Self.alr.name ? 1e-4 : 1e-3
        return recipe
    }
}

/// Hidden width, by the paper's names or as a number (`h96`).
package enum FlattenedSize: Hashable, Sendable, CustomStringConvertible {
    case xs, s, m, l, xl
    case hidden(Int)

    static let widest = 1 << 16

    /// Too few hidden units to lose any of them, by name: what stands for XS and S as a number may not be.
    package var isNarrow: Bool {
        switch self {
        case .xs, .s: true
        case .hidden(let width): width < 200
        default: false
        }
    }

    package static let named: [FlattenedSize] = [.xs, .s, .m, .l, .xl]

    package init?(_ text: some StringProtocol) {
        if let size = Self.named.first(where: { $0.description == text }) {
            self = size
        } else if text.first == "h", let width = Int(text.dropFirst()), (1...Self.widest).contains(width),
            "h\(width)" == text
        {
            self = .hidden(width)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .xs: "xs"
        case .s: "s"
        case .m: "m"
        case .l: "l"
        case .xl: "xl"
        case .hidden(let width): "h\(width)"
        }
    }
}
