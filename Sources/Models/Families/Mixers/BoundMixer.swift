import CKernels
import Kernels

/// A mixer with its weights laid out for translation. Read-only: any number of threads may use it.
final class BoundMixer {
    fileprivate let mixer: mixer_t
    fileprivate let pool: BoundTokenNetwork
    fileprivate let read: BoundTokenNetwork
    fileprivate let value: BoundTokenNetwork
    fileprivate let key: BoundTokenNetwork?
    private let slotBias: FloatBlock?

    init(
        mixer: mixer_t, pool: BoundTokenNetwork, read: BoundTokenNetwork, value: BoundTokenNetwork,
        key: BoundTokenNetwork?,
        slotBias: [Float]?
    ) {
        self.mixer = mixer
        self.pool = pool
        self.read = read
        self.value = value
        self.key = key
        self.slotBias = slotBias.map { values in
            let block = FloatBlock(values.count)
            for (i, value) in values.enumerated() { block.base[i] = value }
            return block
        }
    }

    /// What the tokens' networks put out, in `space`: for tokens that are read, that ask, or both.
    fileprivate struct Tokens {
        var pool: Matrix?
        var value: Matrix?
        var key: Matrix?
        var read: Matrix?
        let slotBias: UnsafePointer<Float>?

        /// From these rows on.
        func rows(read own: Int = 0, source: Int = 0) -> mixer_rows_t {
            mixer_rows_t(
                pooling: pool?.row(source), pooling_stride: pool?.stride ?? 0, value: value?.row(source),
                value_stride: value?.stride ?? 0,
                key: key?.row(source), key_stride: key?.stride ?? 0, reading: read?.row(own),
                reading_stride: read?.stride ?? 0, bias: slotBias)
        }
    }

    /// - Parameters:
    ///   - source: tokens that are read
    ///   - asking: tokens that ask
    fileprivate func tokens(source: Matrix? = nil, asking: Matrix? = nil, _ space: Workspace) -> Tokens {
        func run(_ network: BoundTokenNetwork?, _ x: Matrix?) -> Matrix? {
            guard let network, let x else { return nil }
            let y = space.matrix(x.rows, network.outputs)
            network(x, into: y, space)
            return y
        }
        return Tokens(
            pool: run(pool, source), value: run(value, source), key: run(key, source), read: run(read, asking),
            slotBias: slotBias.map { UnsafePointer($0.base) })
    }
}

// MARK: - Encoder

extension BoundMixer: SentenceMap {
    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
        let mark = space.mark, tokens = tokens(source: x, asking: x, space)
        for s in 0..<sentences.sentences where sentences.length(s) > 0 {
            let inner = space.mark, n = sentences.length(s), first = sentences.offsets[s]
            let tape = space.take(mixer_tape(mixer, n)), scratch = space.take(mixer_scratch(mixer, n, n))
            mixer_forward(mixer, tokens.rows(read: first, source: first), n, n, y.row(first), y.stride, tape, scratch)
            space.release(to: inner)
        }
        space.release(to: mark)
    }
}

// MARK: - Decoder

extension BoundMixer: StepAttention {
    var isProjected: Bool { false }
    var hasConstantState: Bool { true }
    func makeState() -> any StepState { mixer.causal != 0 ? CausalMixerState(self) : SourceMixerState(self) }
}

/// Self-attention's place: running sums, of the same size at every position.
private final class CausalMixerState: StepState {
    private let bound: BoundMixer
    /// [slots, state]
    private var states = FloatBlock(0).matrix(0, 0)

    init(_ bound: BoundMixer) { self.bound = bound }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        states = space.matrix(slots, mixer_state(bound.mixer))
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        if rows.position == 0 { for slot in rows.slots { states.rows(Int(slot)..<Int(slot) + 1).fill(0) } }
        let mark = space.mark, tokens = bound.tokens(source: x, asking: x, space),
            scratch = space.take(mixer_scratch(bound.mixer, 0, 1))
        mixer_step(
            bound.mixer, tokens.rows(), rows.count, states.base, rows.slots, context.base, context.stride, scratch)
        space.release(to: mark)
    }

    func copy(from: Int, to: Int, positions: Int) { states.rows(to..<to + 1).copy(from: states.rows(from..<from + 1)) }
}

/// Cross-attention's place: the source is pooled once a sentence and shared by its hypotheses.
private final class SourceMixerState: StepState {
    private let bound: BoundMixer
    /// [sentences, pooled]
    private var pooled = FloatBlock(0).matrix(0, 0)

    init(_ bound: BoundMixer) { self.bound = bound }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        pooled = space.matrix(sources.sentences, mixer_pooled(bound.mixer))
        var start = 0
        while start < sources.sentences {
            let group = sources.group(from: start, tokens: IncrementalDecoder.groupTokens),
                first = sources.offsets[start], end = sources.offsets[group.upperBound]
            let mark = space.mark, tokens = bound.tokens(source: memory.rows(first..<end), space)
            for s in group {
                let inner = space.mark, m = sources.length(s), scratch = space.take(mixer_scratch(bound.mixer, 0, m))
                mixer_pool(bound.mixer, tokens.rows(source: sources.offsets[s] - first), m, pooled.row(s), scratch)
                space.release(to: inner)
            }
            space.release(to: mark)
            start = group.upperBound
        }
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        let mark = space.mark, tokens = bound.tokens(asking: x, space),
            scratch = space.take(mixer_scratch(bound.mixer, 0, 1))
        mixer_read(
            bound.mixer, tokens.rows(), rows.count, pooled.base, rows.sentences, context.base, context.stride, scratch
        )
        space.release(to: mark)
    }

    func copy(from: Int, to: Int, positions: Int) {}
}
