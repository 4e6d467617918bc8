import Kernels

/// The encoder's output [source tokens, d] and its sentences.
package struct EncoderOutput {
    package let x: Matrix
    package let sentences: Packed

    package init(x: Matrix, sentences: Packed) {
        self.x = x
        self.sentences = sentences
    }
}

/// What gives tokens their context from other tokens, with the places of its parameters: attention, or what stands for
/// it. It holds no weights; those come with each pass.
package protocol ContextNetwork {
    /// Longest source that it can read, and most positions of the target; nil where there is no bound.
    var bounds: (source: Int?, target: Int?) { get }

    /// Whether tokens are read as a set: one more or less only adds or takes its part, and a network for
    /// self-attention, given a memory, reads that in place of x. False, as it is unless a network says otherwise, where
    /// each position of the input has weights of its own.
    var readsSet: Bool { get }

    /// - Parameters:
    ///   - x: [tokens, d], packed; normed where the span is `heads`
    ///   - memory: for cross-attention
    /// - Returns: context [tokens, d] and what the backward pass needs, all of it in the pass's workspace
    func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape

    /// Gradients of parameters are left in the pass: the same, in the same order, whatever the sentences. At most once
    /// for a tape, which may be overwritten.
    ///
    /// - Parameters:
    ///   - dcontext: gradient of the context
    ///   - dx: overwritten with the gradient of x; nil where it is not needed
    ///   - dmemory: the gradient of the encoder output is added; nil for self-attention, or where it is not needed
    func backward(
        _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass)

    /// Laid out for translation.
    ///
    /// - Parameter output: the projection that follows, which may become part of what is bound (`isProjected`); nil
    ///   where none does
    func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext
}

/// What can learn to do what attention does.
package protocol DistillableNetwork: ContextNetwork {
    /// One that learns from captured activations.
    func distiller(_ setting: DistillerSetting) -> any Distiller

    /// Multiplications and additions in the products of a step of distillation over sentences of so many tokens.
    func stepFlops(tokens: Int, memoryTokens: Int) -> Double
}

extension ContextNetwork {
    package var readsSet: Bool { false }
}

/// What a network's backward pass needs of its forward pass.
package struct ContextTape {
    /// [tokens, d]
    package let x: Matrix
    /// [tokens, d]
    package let context: Matrix
    private let kept: UnsafeRawPointer

    /// - Parameter values: kept in the workspace, so that a step allocates nothing
    init<Values: BitwiseCopyable>(x: Matrix, context: Matrix, keeping values: Values, _ space: Workspace) {
        self.x = x
        self.context = context
        let place = space.room(for: Values.self, count: 1)
        place.initialize(to: values)
        kept = UnsafeRawPointer(place)
    }

    func kept<Values: BitwiseCopyable>(_ type: Values.Type) -> Values { kept.load(as: type) }
}

/// A network for translation: of whole sentences in the encoder, position by position in the decoder.
package enum BoundContext {
    case sentences(any SentenceMap)
    case steps(any StepAttention)
}

/// W x + b of what a network puts out, as it was learnt.
package struct OutputProjection {
    let weight: Matrix
    let bias: UnsafePointer<Float>
    private let owner: FloatBlock

    init(_ linear: Linear, _ weights: FloatBlock) {
        weight = weights[linear.weight]
        bias = UnsafePointer(weights[linear.bias].base)
        owner = weights
    }
}
