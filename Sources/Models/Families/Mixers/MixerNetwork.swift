import CKernels
import Kernels

/// A perceptron of two layers over the tokens of a sentence, whose first weights come from the tokens m_j that are read
/// and whose second weights come from the token x_i that asks. For every head, with K hidden units (slots):
///
///     a_jk    = phi(m_j)_k                        alpha = softmax of a over the tokens j (decoder: over j <= i)
///     M_k     = sum_j alpha_jk v_j                v = W_v m + b_v, the head's part
///     p_ik    = softmax over k of chi(x_i)_k      y_i = sum_k p_ik M_k
///
/// with phi and chi linear or with a hidden layer (HyperMixer, Mai et al. 2023; both softmaxes as in efficient
/// attention, Shen et al. 2021). No token is compared with another; cost and memory of a token are O(K d), for any
/// length.
///
/// With keys (family `slots`; bounded-memory attention, Peng et al. 2022) alpha is shared by the heads, keys are pooled
/// as values are, and p_ik = softmax over k of q_i . kappa_k / sqrt(d_k) + b_k: a comparison with K pooled tokens in
/// place of all.
///
/// Weights of the decoder's pooling are exp(a) with a limited to +-30, so that nothing of a later token is in an
/// earlier sum.
struct MixerNetwork: DistillableNetwork {
    private let attention: Attention
    private let width: Int
    let mixer: mixer_t
    /// phi
    private let pool: TokenNetwork
    /// chi, or the queries
    private let read: TokenNetwork
    private let value: TokenNetwork
    private let key: TokenNetwork?
    /// [heads, K]
    private let slotBias: Slot?

    init(_ size: MixerSize, _ attention: Attention, _ shape: TeacherShape, _ layout: inout ParameterLayout) {
        self.attention = attention
        width = shape.width
        let d = shape.width, heads = shape.heads, K = size.slots, hasKeys = size.key != nil
        mixer = mixer_t(
            heads: heads, slots: K, value: shape.headWidth, key: size.key ?? 0, shared: hasKeys ? 1 : 0,
            causal: attention == .decoder ? 1 : 0)
        let middle = size.hidden.map(TokenNetwork.Middle.hidden) ?? .none
        // the softmax over tokens cancels what a bias would add
        pool = TokenNetwork("pool", in: d, middle, out: hasKeys ? K : heads * K, bias: false, &layout)
        if let dk = size.key {
            read = TokenNetwork("query", in: d, .none, out: heads * dk, bias: true, &layout)
            key = TokenNetwork("key", in: d, .none, out: heads * dk, bias: false, &layout)
            slotBias = layout.add("slot.bias", [heads, K], .constant(0))
        } else {
            read = TokenNetwork("read", in: d, middle, out: heads * K, bias: true, &layout)
            (key, slotBias) = (nil, nil)
        }
        value = TokenNetwork(
            "value", in: d, size.rank.map(TokenNetwork.Middle.rank) ?? .none, out: d, bias: true, &layout)
    }

    var bounds: (source: Int?, target: Int?) { (nil, nil) }
    var readsSet: Bool { true }

    private struct Kept: BitwiseCopyable {
        let pool: TokenNetwork.Tape
        let read: TokenNetwork.Tape
        let value: TokenNetwork.Tape
        let key: TokenNetwork.Tape?
        /// Of the sentences, one after another.
        let mixed: UnsafeMutablePointer<Float>
    }

    func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
        let space = pass.workspace, m = memory?.x ?? x, sources = memory?.sentences ?? sentences,
            reading = memory == nil ? pass : pass.of(.source)
        let kept = Kept(
            pool: pool.forward(m, reading), read: read.forward(x, pass), value: value.forward(m, reading),
            key: key?.forward(m, reading),
            mixed: space.take(tapeCount(sentences)))
        let context = pass.keep(x.rows, width, if: pass.trainsTransformer),
            tape = ContextTape(x: x, context: context, keeping: kept, space)
        pass.phase(.attention)
        let mark = space.mark, scratch = space.take(scratchCount(sentences, sources))
        var at = 0
        for s in 0..<sentences.sentences {
            let n = sentences.length(s), m = sources.length(s)
            let own = sentences.offsets[s], rows = rows(kept, own, sources.offsets[s], pass)
            mixer_forward(mixer, rows, n, m, context.row(own), context.stride, kept.mixed + at, scratch)
            at += mixer_tape(mixer, n)
        }
        space.release(to: mark)
        return tape
    }

    func backward(
        _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass
    ) {
        let kept = tape.kept(Kept.self), space = pass.workspace, sources = memory?.sentences ?? sentences,
            reading = memory == nil ? pass : pass.of(.source), dbias = slotBias.map { pass.sums($0) }
        pass.phase(.attention)
        let mark = space.mark, scratch = space.take(scratchCount(sentences, sources))
        var at = 0
        for s in 0..<sentences.sentences {
            let n = sentences.length(s), m = sources.length(s), own = sentences.offsets[s], source = sources.offsets[s]
            mixer_backward(
                mixer, rows(kept, own, source, pass), n, m, dcontext.row(own), dcontext.stride, kept.mixed + at,
                dbias?[s], scratch)
            at += mixer_tape(mixer, n)
        }
        space.release(to: mark)
        // what the networks put out has become its gradient
        read.backward(kept.read, dx: dx, accumulate: false, pass)
        let dsource = memory == nil ? dx : dmemory
        pool.backward(kept.pool, dx: dsource, accumulate: true, reading)
        value.backward(kept.value, dx: dsource, accumulate: true, reading)
        if let key, let tape = kept.key { key.backward(tape, dx: dsource, accumulate: true, reading) }
    }

    /// From the first tokens of a sentence on.
    private func rows(_ kept: Kept, _ own: Int, _ source: Int, _ pass: Pass) -> mixer_rows_t {
        mixer_rows_t(
            pooling: kept.pool.y.row(source), pooling_stride: kept.pool.y.stride, value: kept.value.y.row(source),
            value_stride: kept.value.y.stride, key: kept.key?.y.row(source), key_stride: kept.key?.y.stride ?? 0,
            reading: kept.read.y.row(own), reading_stride: kept.read.y.stride,
            bias: slotBias.map { UnsafePointer(pass.weights[$0].base) })
    }

    private func tapeCount(_ sentences: Packed) -> Int {
        var count = 0
        for s in 0..<sentences.sentences { count += mixer_tape(mixer, sentences.length(s)) }
        return count
    }

    private func scratchCount(_ sentences: Packed, _ sources: Packed) -> Int {
        var count = 0
        for s in 0..<sentences.sentences {
            count = max(count, mixer_scratch(mixer, sentences.length(s), sources.length(s)))
        }
        return count
    }

    func distiller(_ setting: DistillerSetting) -> any Distiller { PackedDistiller(self, width: width, setting) }

    func stepFlops(tokens: Int, memoryTokens: Int) -> Double {
        let read = attention.readsMemory ? memoryTokens : tokens
        return Double(
            read * (pool.stepFlops + value.stepFlops + (key?.stepFlops ?? 0)) + tokens * self.read.stepFlops)
    }

    func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext {
        let bound = BoundMixer(
            mixer: mixer, pool: pool.bind(weights), read: read.bind(weights), value: value.bind(weights),
            key: key?.bind(weights),
            slotBias: slotBias.map { Array(UnsafeBufferPointer(start: weights[$0].base, count: $0.count)) })
        return attention == .encoder ? .sentences(bound) : .steps(bound)
    }
}
