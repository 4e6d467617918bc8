import CKernels
import Foundation
import Testing

/// Mixers against their definition by pairs of tokens: values, every gradient, and translation bit by bit.
struct MixerTests {
    /// A matrix whose rows are part of wider ones, with everything around it marked.
    final class Rows {
        let start: UnsafeMutablePointer<Float>
        let rows: Int
        let width: Int
        let stride: Int
        static let marker: Float = 777

        init(_ values: [Float], _ rows: Int, _ width: Int, apart: Int) {
            (self.rows, self.width, stride) = (rows, width, width + apart)
            start = .allocate(capacity: (rows + 1) * stride)
            start.initialize(repeating: Self.marker, count: (rows + 1) * stride)
            for i in values.indices { start[i / width * stride + i % width] = values[i] }
        }

        convenience init(unset rows: Int, _ width: Int, apart: Int) { self.init([], rows, width, apart: apart) }

        deinit { start.deallocate() }

        subscript(row: Int) -> UnsafeMutablePointer<Float> { start + row * stride }
        var values: [Float] { (0..<rows).flatMap { r in (0..<width).map { self[r][$0] } } }
        var isFramed: Bool {
            (0...rows).allSatisfy { r in ((r < rows ? width : 0)..<stride).allSatisfy { self[r][$0] == Self.marker } }
        }
    }

    /// Floats that are NaN, whatever was there before, and one behind them that must stay.
    final class Scratch {
        let start: UnsafeMutablePointer<Float>
        let count: Int

        init(_ count: Int, _ value: Float = .nan) {
            self.count = count
            start = .allocate(capacity: count + 1)
            start.initialize(repeating: value, count: count)
            start[count] = Rows.marker
        }

        deinit { start.deallocate() }

        var isFramed: Bool { start[count] == Rows.marker }
    }

    /// One sentence, its tokens' inputs in the kernel's precision.
    struct Case {
        let naive: NaiveMixer
        var inputs: NaiveMixer.Inputs<[Float]>
        let dout: [Float]

        /// Pooling logits are as large as `logits`.
        init(_ shape: mixer_t, n: Int, m: Int, logits: Double = 2) {
            naive = NaiveMixer(shape: shape, n: n, m: m)
            var source = Source(UInt64(((n * 100 + m) * 100 + shape.slots) * 100 + shape.key))
            let widths = naive.widths
            inputs = NaiveMixer.Inputs(
                pooling: source.floats(m * widths.pooling, -logits...logits), value: source.floats(m * widths.value),
                key: source.floats(m * widths.key, -2...2), reading: source.floats(n * widths.reading, -2...2),
                bias: source.floats(widths.bias))
            dout = source.floats(n * widths.value)
        }

        var name: String {
            let s = naive.shape, size = "\(naive.n) x \(naive.m), \(s.heads) heads of \(s.value), \(s.slots) slots"
            return "mixer \(size), keys of \(s.key)\(s.shared != 0 ? ", shared" : "")\(s.causal != 0 ? ", causal" : "")"
        }

        var rows: NaiveMixer.Inputs<Rows> {
            let (n, m, widths) = (naive.n, naive.m, naive.widths)
            return NaiveMixer.Inputs(
                pooling: Rows(inputs.pooling, m, widths.pooling, apart: 3),
                value: Rows(inputs.value, m, widths.value, apart: 1),
                key: Rows(inputs.key, m, widths.key, apart: 2),
                reading: Rows(inputs.reading, n, widths.reading, apart: 5),
                bias: Rows(inputs.bias, 1, widths.bias, apart: 0))
        }

        func run() -> (out: [Float], gradients: NaiveMixer.Inputs<[Float]>) {
            let (shape, n, m, widths) = (naive.shape, naive.n, naive.m, naive.widths), given = rows
            let out = Rows(unset: n, widths.value, apart: 2), dy = Rows(dout, n, widths.value, apart: 2)
            let bias = Rows([Float](repeating: 0.5, count: widths.bias), 1, widths.bias, apart: 0)  // is added to
            let tape = Scratch(mixer_tape(shape, n)), scratch = Scratch(mixer_scratch(shape, n, m))
            mixer_forward(shape, mixer_rows_t(given), n, m, out.start, out.stride, tape.start, scratch.start)

            let again = Scratch(mixer_scratch(shape, n, m))
            mixer_backward(
                shape, mixer_rows_t(given), n, m, dy.start, dy.stride, tape.start, bias.start, again.start)
            #expect(given.isFramed && dy.isFramed && out.isFramed && bias.isFramed, "\(name)")
            #expect(tape.isFramed && scratch.isFramed && again.isFramed, "\(name)")
            #expect(given.bias.values == inputs.bias, "\(name)")
            var gradients = given.map(\.values)
            gradients.bias = bias.values.map { $0 - 0.5 }
            return (out.values, gradients)
        }

        /// Position by position, among other hypotheses that must stay as they are.
        func steps() -> [Float] {
            let shape = naive.shape, given = rows, out = Rows(unset: naive.n, naive.widths.value, apart: 2)
            let size = mixer_state(shape), states = Scratch(3 * size, 0), scratch = Scratch(mixer_scratch(shape, 0, 1))
            for i in 0..<naive.n {
                mixer_step(
                    shape, mixer_rows_t(given, from: i), 1, states.start, [2], out[i], out.stride, scratch.start)
            }
            #expect(given.isFramed && states.isFramed && scratch.isFramed && out.isFramed, "\(name)")
            #expect((0..<2 * size).allSatisfy { states.start[$0] == 0 }, "\(name)")
            return out.values
        }

        func pooledAndRead() -> [Float] {
            let (shape, n, m) = (naive.shape, naive.n, naive.m), given = rows
            let out = Rows(unset: n, naive.widths.value, apart: 2)
            let size = mixer_pooled(shape), pooled = Scratch(2 * size)
            let scratch = Scratch(mixer_scratch(shape, 0, m)), again = Scratch(mixer_scratch(shape, 0, 1))
            mixer_pool(shape, mixer_rows_t(given), m, pooled.start + size, scratch.start)
            mixer_read(
                shape, mixer_rows_t(given), n, pooled.start, [Int32](repeating: 1, count: n), out.start, out.stride,
                again.start)
            #expect(given.isFramed && pooled.isFramed && scratch.isFramed && again.isFramed && out.isFramed, "\(name)")
            return out.values
        }

        func check(within tolerance: Double = 4e-6) {
            let (out, gradients) = run(), x = inputs.map(widened), expected = naive.gradients(x, widened(dout))
            expectClose(out, naive.output(x), within: tolerance, name)
            expectClose(gradients.pooling, expected.pooling, within: tolerance, "pooling's gradient of \(name)")
            expectClose(gradients.value, expected.value, within: tolerance, "value's gradient of \(name)")
            expectClose(gradients.reading, expected.reading, within: tolerance, "reading's gradient of \(name)")
            if naive.shape.key > 0 {
                expectClose(gradients.key, expected.key, within: tolerance, "key's gradient of \(name)")
                expectClose(gradients.bias, expected.bias, within: tolerance, "bias's gradient of \(name)")
            }
            let again = naive.isCausal ? steps() : pooledAndRead()
            expectSame(again, out, "\(naive.isCausal ? "steps" : "reads") of \(name)")
        }

        func checkDifferences() {
            let gradients = run().gradients, x = inputs.map(widened), dy = widened(dout), naive = naive
            func check(
                _ gradient: [Float], _ path: WritableKeyPath<NaiveMixer.Inputs<[Double]>, [Double]>, _ what: String
            ) {
                expectGradient(gradient, at: x[keyPath: path], within: 4e-6, "\(what) of \(name)") { p in
                    var moved = x
                    moved[keyPath: path] = p
                    return dot(dy, naive.output(moved))
                }
            }
            check(gradients.pooling, \.pooling, "pooling")
            check(gradients.value, \.value, "value")
            check(gradients.reading, \.reading, "reading")
            if naive.shape.key > 0 {
                check(gradients.key, \.key, "key")
                check(gradients.bias, \.bias, "bias")
            }
        }
    }

    static func expectSame(_ actual: [Float], _ expected: [Float], _ what: String) {
        guard let at = actual.indices.first(where: { actual[$0].bitPattern != expected[$0].bitPattern }) else { return }
        let largest = zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        Issue.record(
            "\(what): element \(at) is \(actual[at]), expected the bits of \(expected[at]); difference up to \(largest)"
        )
    }

    private static func shapes(heads: [Int], slots: [Int], values: [Int], keys: [Int], isCausal: Bool) -> [mixer_t] {
        heads.flatMap { h in
            slots.flatMap { k in
                values.flatMap { v in
                    keys.flatMap { d in [0, 1].map { mixer_t(h, k, v, d, shared: $0, isCausal: isCausal) } }
                }
            }
        }
    }

    @Test(arguments: [1, 2, 5, 16], [false, true])
    func allSmallShapes(slots: Int, isCausal: Bool) {
        for shape in Self.shapes(
            heads: [1, 2, 3], slots: [slots], values: [1, 4, 16], keys: [0, 1, 4], isCausal: isCausal)
        {
            for n in 0...5 {
                for m in isCausal ? [n] : Array(0...5) { Case(shape, n: n, m: m).check() }
            }
        }
    }

    /// The naive gradients are themselves derived: hence differences of the definition.
    @Test(arguments: [1, 3, 4], [false, true])
    func finiteDifferences(n: Int, isCausal: Bool) {
        for shape in Self.shapes(heads: [1, 2], slots: [1, 5], values: [3], keys: [0, 2], isCausal: isCausal) {
            for m in isCausal ? [n] : [1, 2, 5] { Case(shape, n: n, m: m).checkDifferences() }
        }
    }

    /// Every way of dealing columns to vectors: 16, 8, 4 and 1.
    @Test(arguments: [3, 8, 13, 24, 29, 48], [false, true])
    func widthsAroundTheVectors(slots: Int, isCausal: Bool) {
        for shape in Self.shapes(
            heads: [2], slots: [slots], values: [7, 16, 31], keys: [0, 8, 12, 13], isCausal: isCausal)
        {
            Case(shape, n: 7, m: 7).check()
        }
    }

    /// Every way of dealing heads and tokens to groups: of 8 and 16, of 8, 4 and 2, and what is left of them.
    @Test(arguments: [5, 8, 9, 17, 27], [false, true])
    func headsAroundTheGroups(heads: Int, isCausal: Bool) {
        for shape in Self.shapes(
            heads: [heads], slots: [3, 16], values: [4, 16], keys: [0, 2, 12], isCausal: isCausal)
        {
            for n in [1, 7, 8, 9, 17] {
                for m in isCausal ? [n] : [3, n] { Case(shape, n: n, m: m).check() }
            }
        }
    }

    /// The sizes that stand in models, in sentences of some length.
    @Test(arguments: [false, true])
    func namedSizes(isCausal: Bool) {
        for shape in [
            mixer_t(8, 32, 16, 0, shared: 0, isCausal: isCausal), mixer_t(8, 48, 16, 12, shared: 1, isCausal: isCausal),
        ] {
            Case(shape, n: 40, m: isCausal ? 40 : 33).check()
        }
    }

    /// A logit at the limit has no gradient, one just inside has.
    @Test func limitOfPoolingLogits() {
        let limit = Float(30)
        for sign in [Float(1), -1] {
            for (logit, isCut) in [(limit.nextDown, false), (limit, true), (limit.nextUp, true)] {
                var given = Case(mixer_t(1, 1, 4, 0, shared: 0, isCausal: true), n: 3, m: 3)
                given.inputs.pooling[1] = sign * logit
                given.inputs.pooling[0] = sign * 29
                given.check()
                #expect((given.run().gradients.pooling[1] == 0) == isCut, "\(sign * logit)")
            }
        }
    }

    /// Nothing overflows, nothing vanishes, and what the limit cuts off has no gradient.
    @Test(arguments: [false, true])
    func largePoolingLogits(isCausal: Bool) {
        for shape in Self.shapes(heads: [2], slots: [5, 16], values: [16], keys: [0, 4], isCausal: isCausal) {
            for n in [1, 2, 5, 14, 50] { Case(shape, n: n, m: n, logits: 60).check(within: 1e-5) }
        }
    }

    @Test(arguments: [0, 4], [false, true])
    func aThousandTokens(key: Int, isCausal: Bool) {
        Case(mixer_t(1, 3, 4, key, shared: 0, isCausal: isCausal), n: 1000, m: 1000, logits: 8).check(within: 1e-5)
    }

    /// A later token changes no bit of an earlier output, however large its logits are.
    @Test(arguments: [0, 4], [0, 1])
    func laterTokensAreNotSeen(key: Int, shared: Int32) {
        let given = Case(mixer_t(2, 8, 16, key, shared: shared, isCausal: true), n: 9, m: 9, logits: 40),
            widths = given.naive.widths
        let before = given.run().out
        for j in 1..<9 {
            var changed = given
            for column in 0..<widths.pooling {
                changed.inputs.pooling[j * widths.pooling + column] = column % 2 == 0 ? 60 : -60
            }
            for column in 0..<widths.value { changed.inputs.value[j * widths.value + column] = 1e3 }
            for column in 0..<widths.key { changed.inputs.key[j * widths.key + column] = -1e3 }
            for column in 0..<widths.reading { changed.inputs.reading[j * widths.reading + column] *= -7 }
            let after = changed.run().out, earlier = j * widths.value
            Self.expectSame(
                Array(after[..<earlier]), Array(before[..<earlier]), "outputs before token \(j) of \(given.name)")
            #expect(after[earlier...] != before[earlier...])
        }
    }

    /// Rows of several hypotheses and sentences in one call are what each is alone.
    @Test(arguments: [0, 4])
    func rowsAreIndependent(key: Int) {
        for isCausal in [false, true] {
            let shape = mixer_t(8, 8, 16, key, shared: 0, isCausal: isCausal), n = 19, given = Case(shape, n: n, m: n)
            let out = Rows(unset: n, given.naive.widths.value, apart: 2), scratch = Scratch(mixer_scratch(shape, 0, n))
            let size = isCausal ? mixer_state(shape) : mixer_pooled(shape), kept = Scratch(n * size, 0),
                places = (0..<n).map { Int32($0 * 7 % n) }, rows = given.rows
            if !isCausal {
                for s in 0..<n {
                    let own = given.rows  // of which weights take the place
                    mixer_pool(shape, mixer_rows_t(own), s, kept.start + s * size, scratch.start)
                    #expect(own.isFramed)
                }
                mixer_read(shape, mixer_rows_t(rows), n, kept.start, places, out.start, out.stride, scratch.start)
            } else {
                mixer_step(shape, mixer_rows_t(rows), n, kept.start, places, out.start, out.stride, scratch.start)
            }
            for r in 0..<n {
                let alone = Rows(unset: 1, given.naive.widths.value, apart: 0), own = given.rows
                let tape = Scratch(mixer_tape(shape, 1)), more = Scratch(mixer_scratch(shape, 1, n))
                let m = isCausal ? 1 : Int(places[r])
                let from = isCausal ? mixer_rows_t(own, from: r) : mixer_rows_t(own, readingFrom: r)
                mixer_forward(shape, from, 1, m, alone.start, alone.stride, tape.start, more.start)
                Self.expectSame((0..<alone.width).map { out[r][$0] }, alone.values, "row \(r) of \(given.name)")
                #expect(own.isFramed && alone.isFramed && tape.isFramed && more.isFramed)
            }
            #expect(rows.isFramed && out.isFramed && scratch.isFramed && kept.isFramed)
        }
    }
}

extension NaiveMixer.Inputs where T == MixerTests.Rows {
    /// Asked of everything after a call, which also keeps it alive until then.
    fileprivate var isFramed: Bool {
        pooling.isFramed && value.isFramed && key.isFramed && reading.isFramed && bias.isFramed
    }
}

extension mixer_t {
    fileprivate init(_ heads: Int, _ slots: Int, _ value: Int, _ key: Int, shared: Int32, isCausal: Bool) {
        self.init(heads: heads, slots: slots, value: value, key: key, shared: shared, causal: isCausal ? 1 : 0)
    }
}

extension mixer_rows_t {
    fileprivate init(_ x: NaiveMixer.Inputs<MixerTests.Rows>, from row: Int = 0, readingFrom reading: Int? = nil) {
        self.init(
            pooling: x.pooling[row], pooling_stride: x.pooling.stride, value: x.value[row],
            value_stride: x.value.stride,
            key: x.key[row], key_stride: x.key.stride, reading: x.reading[reading ?? row],
            reading_stride: x.reading.stride,
            bias: x.bias.start)
    }
}
