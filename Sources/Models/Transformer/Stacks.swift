import Kernels

struct EncoderLayer {
    let attention: AttentionSublayer
    let feedForward: FeedForwardSublayer

    struct Tape {
        let attention: AttentionSublayer.Tape
        let feedForward: FeedForwardSublayer.Tape
        var y: Matrix { feedForward.y }
    }

    func forward(_ x: Matrix, _ sentences: Packed, _ pass: Pass) -> Tape {
        let attended = attention.forward(x, sentences, pass)
        return Tape(attention: attended, feedForward: feedForward.forward(attended.y, pass))
    }

    /// dx holds the gradient of y and then of x.
    func backward(_ tape: Tape, _ sentences: Packed, dx: Matrix, _ pass: Pass) {
        feedForward.backward(tape.feedForward, dx: dx, pass)
        attention.backward(tape.attention, sentences, dx: dx, pass)
    }
}

struct DecoderLayer {
    let selfAttention: AttentionSublayer
    let crossAttention: AttentionSublayer
    let feedForward: FeedForwardSublayer

    struct Tape {
        let selfAttention: AttentionSublayer.Tape
        let crossAttention: AttentionSublayer.Tape
        let feedForward: FeedForwardSublayer.Tape
        var y: Matrix { feedForward.y }
    }

    typealias Memory = (x: Matrix, packed: Packed)

    func forward(_ x: Matrix, _ target: Packed, memory: Memory, _ pass: Pass) -> Tape {
        let own = selfAttention.forward(x, target, pass)
        let crossed = crossAttention.forward(own.y, target, memory: memory, pass)
        return Tape(selfAttention: own, crossAttention: crossed, feedForward: feedForward.forward(crossed.y, pass))
    }

    /// dx holds the gradient of y and then of x; the gradient of the encoder output is added to dmemory.
    func backward(_ tape: Tape, _ target: Packed, memory: Memory, dx: Matrix, dmemory: Matrix, _ pass: Pass) {
        feedForward.backward(tape.feedForward, dx: dx, pass)
        crossAttention.backward(tape.crossAttention, target, memory: memory, dx: dx, dmemory: dmemory, pass)
        selfAttention.backward(tape.selfAttention, target, dx: dx, pass)
    }
}
