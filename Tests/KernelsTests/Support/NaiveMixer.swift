import CKernels
import Foundation

/// One sentence's mixer written down by its definition, with every weight of every pair of tokens, in Double.
struct NaiveMixer {
    let shape: mixer_t
    let n: Int
    let m: Int

    var heads: Int { shape.heads }
    var slots: Int { shape.slots }
    var isCausal: Bool { shape.causal != 0 }
    var widths: Inputs<Int> {
        Inputs(
            pooling: shape.shared != 0 ? slots : heads * slots, value: heads * shape.value, key: heads * shape.key,
            reading: heads * (shape.key > 0 ? shape.key : slots), bias: heads * slots)
    }

    /// What goes in, or anything there is one of for each of them.
    struct Inputs<T> {
        var pooling: T
        var value: T
        var key: T
        var reading: T
        var bias: T

        func map<U>(_ f: (T) -> U) -> Inputs<U> {
            Inputs<U>(pooling: f(pooling), value: f(value), key: f(key), reading: f(reading), bias: f(bias))
        }
    }

    private func poolColumn(_ h: Int, _ k: Int) -> Int { shape.shared != 0 ? k : h * slots + k }

    /// Head h of one row.
    private func part(_ x: [Double], _ row: Int, _ width: Int, _ h: Int, _ size: Int) -> [Double] {
        Array(x[(row * width + h * size)...].prefix(size))
    }

    private func softmax(_ x: [Double]) -> [Double] {
        let top = x.max() ?? 0, e = x.map { exp($0 - top) }, sum = e.reduce(0, +)
        return e.map { $0 / sum }
    }

    private func limited(_ a: Double) -> Double { isCausal ? min(max(a, -30), 30) : a }

    /// alpha of head h, slot k, as the token at i sees it.
    private func pooling(_ x: Inputs<[Double]>, _ i: Int, _ h: Int, _ k: Int) -> [Double] {
        softmax((0..<(isCausal ? i + 1 : m)).map { limited(x.pooling[$0 * widths.pooling + poolColumn(h, k)]) })
    }

    private typealias Reading = (alpha: [[Double]], keys: [[Double]], p: [Double])

    /// What one token's head reads with: alpha, pooled keys and p, slot by slot.
    private func reading(_ x: Inputs<[Double]>, _ i: Int, _ h: Int) -> Reading {
        let key = shape.key, alpha = (0..<slots).map { pooling(x, i, h, $0) }
        let keys = alpha.map { weights in
            (0..<key).map { c in weights.indices.reduce(0) { $0 + weights[$1] * x.key[$1 * widths.key + h * key + c] } }
        }
        let q = part(x.reading, i, widths.reading, h, key)
        let z = (0..<slots).map { k in
            key > 0
                ? dot(q, keys[k]) / Double(key).squareRoot() + x.bias[h * slots + k]
                : x.reading[i * widths.reading + h * slots + k]
        }
        return (alpha, keys, softmax(z))
    }

    func output(_ x: Inputs<[Double]>) -> [Double] {
        var y = [Double](repeating: 0, count: n * widths.value)
        for i in 0..<n where m > 0 {
            for h in 0..<heads {
                let (alpha, _, p) = reading(x, i, h)
                for k in 0..<slots {
                    for (j, weight) in alpha[k].enumerated() {
                        let v = part(x.value, j, widths.value, h, shape.value)
                        for (c, v) in v.enumerated() { y[i * widths.value + h * shape.value + c] += p[k] * weight * v }
                    }
                }
            }
        }
        return y
    }

    /// Of the sum of y . dy, by the chain rule, pair by pair. Itself derived: to be checked against differences.
    func gradients(_ x: Inputs<[Double]>, _ dy: [Double]) -> Inputs<[Double]> {
        let widths = widths, value = shape.value, key = shape.key, scale = key > 0 ? 1 / Double(key).squareRoot() : 0
        let counts = Inputs(
            pooling: x.pooling.count, value: x.value.count, key: x.key.count, reading: x.reading.count,
            bias: x.bias.count)
        var d = counts.map { [Double](repeating: 0, count: $0) }
        for i in 0..<n where m > 0 {
            for h in 0..<heads {
                let (alpha, keys, p) = reading(x, i, h), dyi = part(dy, i, widths.value, h, value)
                let q = part(x.reading, i, widths.reading, h, key)
                let dyv = alpha[0].indices.map { dot(dyi, part(x.value, $0, widths.value, h, value)) }
                let qk = alpha[0].indices.map { dot(q, part(x.key, $0, widths.key, h, key)) * scale }
                let dp = alpha.map { dot($0, dyv) }, mean = dot(p, dp)
                for k in 0..<slots {
                    let dz = p[k] * (dp[k] - mean)
                    if key == 0 { d.reading[i * widths.reading + h * slots + k] += dz }
                    d.bias[h * slots + k] += dz
                    for c in 0..<key { d.reading[i * widths.reading + h * key + c] += dz * scale * keys[k][c] }
                    let dalpha = dyv.indices.map { p[k] * dyv[$0] + dz * qk[$0] }, average = dot(alpha[k], dalpha)
                    for (j, weight) in alpha[k].enumerated() {
                        for c in 0..<value { d.value[j * widths.value + h * value + c] += weight * p[k] * dyi[c] }
                        for c in 0..<key { d.key[j * widths.key + h * key + c] += weight * dz * scale * q[c] }
                        let at = j * widths.pooling + poolColumn(h, k)
                        if !isCausal || abs(x.pooling[at]) < 30 { d.pooling[at] += weight * (dalpha[j] - average) }
                    }
                }
            }
        }
        return d
    }
}
