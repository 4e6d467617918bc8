/// The sizes of a replacement, all of them consequences of the spec and of three numbers of the teacher.
///
/// S: most tokens of a sentence. d: model width. N: numbers that the network sees, S d, or 2 S d where it reads the
/// source as well.
public struct FlattenedShape: Equatable, Sendable {
    /// S
    public let maxTokens: Int
    /// d
    public let width: Int
    /// Networks that work side by side, each on its share of a token's output: the heads for `aslr`, else one.
    public let networks: Int
    /// H, of one network.
    public let hidden: Int
    public let attention: Attention

    /// - Parameter spec: of a flattened family
    public init(_ spec: Spec, _ teacher: TeacherShape) {
        guard let family = spec.family as? FlattenedFamily, let size = FlattenedSize(spec.size) else {
            fatalError("\(spec) is not flattened")
        }
        maxTokens = teacher.maxTokens
        width = teacher.width
        attention = spec.attention
        networks = family.hasNetworkPerHead ? teacher.heads : 1
        let inputs = teacher.maxTokens * teacher.width * (spec.attention.readsMemory ? 2 : 1)
        hidden = Self.hidden(size, inputs: inputs, perHead: family.hasNetworkPerHead)
    }

    /// Blocks of d numbers in the input, the source's before the target's.
    public var inputBlocks: Int { maxTokens * (attention.readsMemory ? 2 : 1) }
    /// N
    public var inputs: Int { inputBlocks * width }
    /// Numbers that one network puts out for a token.
    public var outputWidth: Int { width / networks }
    /// A causal network has one block of outputs, shared by all positions; another has one for each position.
    public var outputBlocks: Int { attention.isCausal ? 1 : maxTokens }
    public var outputs: Int { outputBlocks * outputWidth }

    /// Parameters of one network: LayerNorm over N, N to H, LayerNorm over H, H to the outputs.
    public var parametersPerNetwork: Int { 2 * inputs + (inputs + 1) * hidden + 2 * hidden + (hidden + 1) * outputs }
    public var parameters: Int { networks * parametersPerNetwork }

    /// The paper's widths are fractions of the input: N/256, N/128, N/8, N/2, and 2N beyond it. A network for a single
    /// head is N/32, N/16, N/8, N/4, N/2.
    private static func hidden(_ size: FlattenedSize, inputs: Int, perHead: Bool) -> Int {
        func share(_ whole: Int, _ head: Int) -> Int { max(1, inputs / (perHead ? head : whole)) }
        switch size {
        case .xs: return share(256, 32)
        case .s: return share(128, 16)
        case .m: return share(8, 8)
        case .l: return share(2, 4)
        case .xl: return perHead ? share(1, 2) : 2 * inputs
        case .hidden(let width): return width
        }
    }
}
