import CKernels
import Kernels

/// Mixers of the sizes of `mix-l` and `slots-l` in 54 sentences of 14 tokens, or for 54 hypotheses.
final class MixerWork {
    /// Eight heads of 16 columns.
    static let mixers: [(name: String, mixer: mixer_t)] = [
        ("mix k16", mixer(slots: 16)), ("mix k16 causal", mixer(slots: 16, isCausal: true)),
        ("mix k32", mixer(slots: 32)), ("slots k32 d8", mixer(slots: 32, key: 8)),
        ("slots k16 d8 causal", mixer(slots: 16, key: 8, isCausal: true)), ("slots k48 d12", mixer(slots: 48, key: 12)),
    ]

    private static func mixer(slots: Int, key: Int = 0, isCausal: Bool = false) -> mixer_t {
        mixer_t(heads: 8, slots: slots, value: 16, key: key, shared: key > 0 ? 1 : 0, causal: isCausal ? 1 : 0)
    }

    private let mixer: mixer_t
    private let n = 14, sentences = 54
    private let width: Int
    /// One after another, as networks put them out: pooling logits, values, keys, and what asks.
    private let rows: FloatBlock
    private let tape: FloatBlock, scratch: FloatBlock, bias: FloatBlock, states: FloatBlock
    private let out: FloatBlock, dout: FloatBlock

    init(_ mixer: mixer_t) {
        self.mixer = mixer
        width = mixer.heads * mixer.value
        let tokens = n * sentences
        rows = FloatBlock(tokens * (2 * mixer.heads * (mixer.slots + mixer.key) + width))
        tape = FloatBlock(sentences * mixer_tape(mixer, n))
        scratch = FloatBlock(max(mixer_scratch(mixer, n, n), mixer_scratch(mixer, 0, 1)))
        bias = FloatBlock(2 * mixer.heads * mixer.slots)
        states = FloatBlock(sentences * max(mixer_state(mixer), mixer_pooled(mixer)))
        (out, dout) = (FloatBlock(tokens * width), FloatBlock(tokens * width))
        for (i, block) in [rows, dout, states].enumerated() {
            random_uniform(block.base, block.count, UInt64(i), 1, 1)
        }
    }

    /// A token pools into the slots of all heads, and reads from them: two operations a number of a slot for either.
    private var operationsForEither: Int { 2 * mixer.heads * mixer.slots * (mixer.value + mixer.key) }
    var forwardOperations: Int { 2 * operationsForEither * n * sentences }
    var stepOperations: Int { 2 * operationsForEither * sentences }
    var readOperations: Int { operationsForEither * sentences }

    /// From sentence `s` on.
    private func rows(of s: Int) -> mixer_rows_t {
        let tokens = n * sentences, first = s * n, slots = mixer.heads * mixer.slots, keys = mixer.heads * mixer.key,
            pooling = mixer.shared == 1 ? mixer.slots : slots, asking = mixer.key > 0 ? keys : slots
        let value = rows.base + tokens * slots, key = value + tokens * width, reading = key + tokens * keys
        return mixer_rows_t(
            pooling: rows.base + first * pooling, pooling_stride: pooling, value: value + first * width,
            value_stride: width, key: key + first * keys, key_stride: keys, reading: reading + first * asking,
            reading_stride: asking, bias: bias.base)
    }

    func forward() {
        for s in 0..<sentences {
            mixer_forward(
                mixer, rows(of: s), n, n, out.base + s * n * width, width, tape.base + s * mixer_tape(mixer, n),
                scratch.base)
        }
    }

    func backward() {
        for s in 0..<sentences {
            mixer_backward(
                mixer, rows(of: s), n, n, dout.base + s * n * width, width, tape.base + s * mixer_tape(mixer, n),
                bias.base + mixer.heads * mixer.slots, scratch.base)
        }
    }

    /// The next position of each hypothesis.
    func step() { mixer_step(mixer, rows(of: 0), sentences, states.base, nil, out.base, width, scratch.base) }

    /// A row of each hypothesis reads a sentence of its own.
    func read() { mixer_read(mixer, rows(of: 0), sentences, states.base, nil, out.base, width, scratch.base) }
}
