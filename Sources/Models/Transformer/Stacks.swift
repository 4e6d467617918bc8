import Kernels

struct EncoderLayer {
    let attention: AttentionSublayer
    /// Nil where a network spans the layer.
    let feedForward: FeedForwardSublayer?

    init(
        _ configuration: TransformerConfiguration, _ choice: ContextChoice, stream: Int,
        _ layout: inout ParameterLayout
    ) {
        guard choice.span != .layer else {
            attention = AttentionSublayer(configuration, choice, stream: stream, &layout)
            feedForward = nil
            return
        }
        attention = layout.scope("attention") { AttentionSublayer(configuration, choice, stream: stream, &$0) }
        feedForward = FeedForwardSublayer(configuration, stream: stream + 2, &layout)
    }

    var hasNetworks: Bool { attention.spec != nil }

    struct Tape {
        let attention: AttentionSublayer.Tape
        let feedForward: FeedForwardSublayer.Tape?
        var y: Matrix { feedForward?.y ?? attention.y }
    }

    func forward(_ x: Matrix, _ sentences: Packed, _ pass: Pass) -> Tape {
        let attended = attention.forward(x, sentences, pass)
        return Tape(attention: attended, feedForward: feedForward?.forward(attended.y, pass))
    }

    /// dx holds the gradient of y and then of x.
    func backward(_ tape: Tape, _ sentences: Packed, dx: Matrix, _ pass: Pass) {
        if let feedForward, let tape = tape.feedForward { feedForward.backward(tape, dx: dx, pass) }
        attention.backward(tape.attention, sentences, dx: dx, pass)
    }
}

struct DecoderLayer {
    let selfAttention: AttentionSublayer
    let crossAttention: AttentionSublayer
    let feedForward: FeedForwardSublayer

    init(
        _ configuration: TransformerConfiguration, selfAttention selfAttentionChoice: ContextChoice,
        crossAttention crossAttentionChoice: ContextChoice, stream: Int, _ layout: inout ParameterLayout
    ) {
        selfAttention = layout.scope("attention") {
            AttentionSublayer(configuration, selfAttentionChoice, stream: stream, &$0)
        }
        crossAttention = layout.scope("cross") {
            AttentionSublayer(configuration, crossAttentionChoice, stream: stream + 2, &$0)
        }
        feedForward = FeedForwardSublayer(configuration, stream: stream + 4, &layout)
    }

    var hasNetworks: Bool { selfAttention.spec != nil || crossAttention.spec != nil }

    struct Tape {
        let selfAttention: AttentionSublayer.Tape
        let crossAttention: AttentionSublayer.Tape
        let feedForward: FeedForwardSublayer.Tape
        var y: Matrix { feedForward.y }
    }

    func forward(_ x: Matrix, _ target: Packed, memory: EncoderOutput, _ pass: Pass) -> Tape {
        let own = selfAttention.forward(x, target, pass)
        let crossed = crossAttention.forward(own.y, target, memory: memory, pass)
        return Tape(selfAttention: own, crossAttention: crossed, feedForward: feedForward.forward(crossed.y, pass))
    }

    /// dx holds the gradient of y and then of x; the gradient of the encoder output is added to dmemory, if anybody
    /// asks for it.
    func backward(_ tape: Tape, _ target: Packed, memory: EncoderOutput, dx: Matrix, dmemory: Matrix?, _ pass: Pass) {
        feedForward.backward(tape.feedForward, dx: dx, pass)
        crossAttention.backward(tape.crossAttention, target, memory: memory, dx: dx, dmemory: dmemory, pass)
        selfAttention.backward(tape.selfAttention, target, dx: dx, pass)
    }
}
