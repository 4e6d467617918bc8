import CKernels
import Foundation
import Testing

struct AttentionTests {
    /// The kernel's results for one sentence, with q, k, v as columns of wider matrices and everything around them
    /// marked.
    struct Run {
        let out: [Float]
        let weights: [Float]
        let dq: [Float]
        let dk: [Float]
        let dv: [Float]

        init(_ a: NaiveAttention, q: [Float], kv: [Float], dout: [Float], outStride: Int) {
            let d = a.d, marker: Float = 777
            var out = [Float](repeating: marker, count: a.n * outStride),
                dq = [Float](repeating: marker, count: a.n * a.qStride)
            var dkv = [Float](repeating: marker, count: a.m * a.kvStride)
            var weights = [Float](repeating: marker, count: a.heads * a.n * attention_row(a.m))
            var scratch = [Float](repeating: .nan, count: attention_scratch(a.n, a.m, a.head))
            kv.withUnsafeBufferPointer { kv in
                let k = kv.baseAddress!, v = k + d
                attention_forward(
                    q, a.qStride, k, v, a.kvStride, &out, outStride, &weights, a.n, a.m, a.heads, a.head,
                    a.isCausal ? 1 : 0, &scratch, a.dropout, a.first)
                for i in scratch.indices { scratch[i] = .nan }
                dkv.withUnsafeMutableBufferPointer { dkv in
                    guard let dk = dkv.baseAddress else { return }
                    attention_backward(
                        q, a.qStride, k, v, a.kvStride, dout, outStride, weights, a.n, a.m, a.heads, a.head, &dq, dk,
                        dk + d, &scratch, a.dropout)
                }
            }
            #expect(
                Self.untouched(out, a.n, outStride, d) && Self.untouched(dq, a.n, a.qStride, d)
                    && Self.untouched(dkv, a.m, a.kvStride, 2 * d))
            self.out = Self.columns(out, a.n, outStride, 0..<d)
            self.weights = weights
            self.dq = Self.columns(dq, a.n, a.qStride, 0..<d)
            dk = Self.columns(dkv, a.m, a.kvStride, 0..<d)
            dv = Self.columns(dkv, a.m, a.kvStride, d..<2 * d)
        }

        static func columns<T>(_ x: [T], _ rows: Int, _ stride: Int, _ range: Range<Int>) -> [T] {
            (0..<rows).flatMap { r in range.map { x[r * stride + $0] } }
        }

        private static func untouched(_ x: [Float], _ rows: Int, _ stride: Int, _ width: Int) -> Bool {
            columns(x, rows, stride, width..<stride).allSatisfy { $0 == 777 }
        }
    }

    private func check(n: Int, m: Int, heads: Int, head: Int, isCausal: Bool, rate: Float) {
        let d = heads * head, qStride = d + 3, kvStride = 2 * d + 1, outStride = d + 2
        let a = NaiveAttention(
            n: n, m: m, heads: heads, head: head, isCausal: isCausal, dropout: dropout_t(rate: rate), first: 48,
            qStride: qStride, kvStride: kvStride)
        var source = Source(UInt64(n * 1000 + m * 10 + head))
        let q = source.floats(n * qStride, -2...2), kv = source.floats(m * kvStride, -2...2),
            dout = source.floats(n * outStride)
        let run = Run(a, q: q, kv: kv, dout: dout, outStride: outStride), factors = a.factors
        let what = "attention \(n) x \(m), \(heads) heads of \(head), \(isCausal ? "causal" : "full"), dropout \(rate)"

        let (qs, k) = (widened(q), widened(kv)), v = Array(k[d...]) + [Double](repeating: 0, count: d)
        expectClose(run.out, a.output(qs, k, v, factors), within: 2e-6, what)
        checkWeights(run.weights, a, a.weights(qs, k), factors, what)

        let gradientWeights = widened(AttentionTests.Run.columns(dout, n, outStride, 0..<d))
        let packed = NaiveAttention(
            n: n, m: m, heads: heads, head: head, isCausal: isCausal, dropout: a.dropout, first: a.first, qStride: d,
            kvStride: d)
        let inputs =
            Run.columns(qs, n, qStride, 0..<d) + Run.columns(k, m, kvStride, 0..<d)
            + Run.columns(k, m, kvStride, d..<2 * d)
        expectGradient(run.dq + run.dk + run.dv, at: inputs, within: 4e-6, what) { p in
            dot(
                gradientWeights,
                packed.output(
                    Array(p[..<(n * d)]), Array(p[(n * d)..<((n + m) * d)]), Array(p[((n + m) * d)...]), factors))
        }
    }

    /// What is kept for the backward pass: the weight, its sign saying whether it was dropped, zero where nothing may
    /// be seen.
    private func checkWeights(
        _ kept: [Float], _ a: NaiveAttention, _ expected: [Double], _ factors: [Double], _ what: String
    ) {
        let row = attention_row(a.m)
        for (index, weight) in kept.enumerated() {
            let j = index % row, at = index / row * a.m + j
            if j >= a.m || expected[at] == 0 {
                if weight != 0 { Issue.record("hidden weight \(index) is \(weight); \(what)") }
            } else if abs(abs(Double(weight)) - expected[at]) > 1e-6 || (weight.sign == .minus) != (factors[at] == 0) {
                Issue.record("weight \(index) is \(weight), expected \(expected[at]), factor \(factors[at]); \(what)")
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 13, 16, 17, 33], [1, 2, 3, 5, 7, 15, 16, 17, 31])
    func everyPairOfLengths(n: Int, m: Int) {
        for isCausal in [false, true] {
            for rate in [0, 0.3] as [Float] { check(n: n, m: m, heads: 2, head: 5, isCausal: isCausal, rate: rate) }
        }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64], [1, 3])
    func everyWidthOfHeads(head: Int, heads: Int) {
        for rate in [0, 0.5] as [Float] { check(n: 6, m: 6, heads: heads, head: head, isCausal: true, rate: rate) }
    }

    /// Heads that fill whole vectors are read in place; rows of 16 keys have code of their own.
    @Test(arguments: [1, 15, 16, 17, 33], [1, 15, 16, 17, 32, 33])
    func lengthsAroundTheTiles(n: Int, m: Int) {
        for isCausal in [false, true] {
            for rate in [0, 0.3] as [Float] { check(n: n, m: m, heads: 1, head: 16, isCausal: isCausal, rate: rate) }
        }
    }

    /// Random numbers are drawn for several heads at a time.
    @Test(arguments: [7, 8, 9, 17])
    func dropoutOfManyHeads(heads: Int) {
        for n in [1, 3, 5] { check(n: n, m: 3, heads: heads, head: 2, isCausal: false, rate: 0.4) }
    }

    /// An empty source: nothing to attend to, so the output is zero.
    @Test func noKeysGiveZero() {
        let a = NaiveAttention(
            n: 3, m: 0, heads: 2, head: 4, isCausal: false, dropout: .none, first: 0, qStride: 8, kvStride: 16)
        let run = Run(
            a, q: [Float](repeating: 1, count: 24), kv: [Float](repeating: 0, count: 16),
            dout: [Float](repeating: 1, count: 24), outStride: 8)
        #expect(run.out.allSatisfy { $0 == 0 } && run.dq.allSatisfy { $0 == 0 })
    }

    /// Kept fraction within five standard errors, over a large sentence; rows hold 1/keep times the weights that stay.
    @Test func dropoutKeepsTheRightFraction() {
        let n = 100, m = 96, rate: Float = 0.2
        let a = NaiveAttention(
            n: n, m: m, heads: 4, head: 1, isCausal: false, dropout: dropout_t(rate: rate), first: 0, qStride: 4,
            kvStride: 8)
        var source = Source(3)
        let run = Run(a, q: source.floats(n * 4), kv: source.floats(m * 8), dout: source.floats(n * 4), outStride: 4)
        let kept = Double(run.weights.count { $0 > 0 }) / Double(run.weights.count)
        #expect(abs(kept - 0.8) < 5 * (0.8 * 0.2 / Double(run.weights.count)).squareRoot())
    }

    /// e^x within 4 units in the last place, as the ratio of softmax weights to that of score 0, as far as weights are
    /// normal numbers.
    @Test func theExponentialIsAccurate() {
        let m = 16_384, x = (0..<m).map { -80 * Float($0) / Float(m) }
        let a = NaiveAttention(
            n: 1, m: m, heads: 1, head: 1, isCausal: false, dropout: .none, first: 0, qStride: 1, kvStride: 2)
        let run = Run(a, q: [1], kv: x.flatMap { [$0, 0] }, dout: [1], outStride: 1)
        for i in 0..<m {
            let difference = abs(Double(run.weights[i]) / Double(run.weights[0]) / exp(Double(x[i])) - 1)
            #expect(difference < 4 * 0x1p-23, "e^\(x[i]): relative difference \(difference)")
        }
    }
}
