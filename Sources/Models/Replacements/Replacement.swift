import Kernels

/// A shallow network that stands for an attention (Bozic et al. 2024): over a sentence flattened to one vector x of N numbers,
/// beyond its end zero,
///
///     y = W2 dropout(LayerNorm(leaky(W1 LayerNorm(x) + b1))) + b2,     leaky(z) = max(z, 0.01 z).
///
/// Nothing is ever padded. With block j of W1 (H x d), gain g and shift b of the first LayerNorm, and a sentence x_1..x_n,
///
///     mean = 1/N sum_j sum(x_j)      var = 1/N sum_j |x_j|^2 - mean^2      sd = sqrt(var + epsilon)
///     pre  = 1/sd (sum_j W1_j (g_j . x_j) - mean u) + v      u = W1 g      v = W1 b + b1
///
/// which is the same function: the zeros count in mean and variance, and nowhere else. A causal network sees, for the output
/// at position i, the sums up to i: they are prefix sums, so its first layer costs no more than that of a network that sees
/// the whole sentence. A network that reads the source too adds the source's sums to those of the target.
///
/// `aslr` has one network for each head; they share the input and each puts out its head's columns.
public struct Replacement {
    public let spec: Spec
    public let shape: ReplacementShape
    let networks: [ReplacementNetwork]

    public init(_ spec: Spec, maxTokens: Int, width: Int, heads: Int, _ layout: inout ParameterLayout) {
        self.spec = spec
        let shape = ReplacementShape(spec, maxTokens: maxTokens, width: width, heads: heads)
        self.shape = shape
        networks = (0..<shape.networks).map { index in
            shape.networks == 1
                ? ReplacementNetwork(shape, &layout)
                : layout.scope("head.\(index)") { ReplacementNetwork(shape, &$0) }
        }
    }

    static let epsilon = LayerNorm.epsilon

    /// Whether one output of d numbers serves every position of the target.
    var isCausal: Bool { shape.attention.isCausal }

    /// Input block of the target's (or, in the encoder, the sentence's) position 0: the source's blocks stand before it.
    var firstTargetBlock: Int { shape.attention.readsMemory ? shape.maxTokens : 0 }
}

/// Places of one network's parameters.
///
/// The first weight is stored [N, H], so that block j, the d rows from j d on, is contiguous: it is multiplied, finished and
/// updated as one piece.
struct ReplacementNetwork {
    /// g, b: [N]
    let inputNorm: LayerNorm
    /// [N, H]
    let first: Slot
    /// b1: [H]
    let firstBias: Slot
    /// [H]
    let hiddenNorm: LayerNorm
    /// [outputs, H], the outputs of position j from row j outputWidth on
    let second: Slot
    /// [outputs]
    let secondBias: Slot

    init(_ shape: ReplacementShape, _ layout: inout ParameterLayout) {
        inputNorm = LayerNorm("input.norm", width: shape.inputs, &layout)
        first = layout.add("first.weight", [shape.inputs, shape.hidden], .xavier(fanIn: shape.inputs, fanOut: shape.hidden))
        firstBias = layout.add("first.bias", [shape.hidden], .constant(0))
        hiddenNorm = LayerNorm("hidden.norm", width: shape.hidden, &layout)
        second = layout.add("second.weight", [shape.outputs, shape.hidden], .xavier(fanIn: shape.hidden, fanOut: shape.outputs))
        secondBias = layout.add("second.bias", [shape.outputs], .constant(0))
    }
}
