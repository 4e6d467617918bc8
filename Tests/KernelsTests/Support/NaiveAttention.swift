import CKernels
import Foundation

/// One sentence's attention written down by its definition, in Double.
struct NaiveAttention {
    let n: Int
    let m: Int
    let heads: Int
    let head: Int
    let isCausal: Bool
    let dropout: dropout_t
    let first: UInt64
    /// Where q, k and v begin in their rows, and how long those rows are.
    let qStride: Int
    let kvStride: Int

    var d: Int { heads * head }

    func factor(_ h: Int, _ i: Int, _ j: Int) -> Double {
        PhiloxReference.factor(first + UInt64((h * n + i) * attention_row(m) + j), dropout)
    }

    /// Softmax weights [heads, n, m] before dropout.
    func weights(_ q: [Double], _ k: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: heads * n * m)
        for h in 0..<heads {
            for i in 0..<n {
                let visible = isCausal ? min(i + 1, m) : m
                let scores = (0..<visible).map { j in
                    (0..<head).reduce(0.0) { $0 + q[i * qStride + h * head + $1] * k[j * kvStride + h * head + $1] }
                        / Double(head).squareRoot()
                }
                let top = scores.max()!, sum = scores.reduce(0) { $0 + exp($1 - top) }
                for j in 0..<visible { result[(h * n + i) * m + j] = exp(scores[j] - top) / sum }
            }
        }
        return result
    }

    /// Output [n, d]; `factors` are the dropout factors [heads, n, m].
    func output(_ q: [Double], _ k: [Double], _ v: [Double], _ factors: [Double]) -> [Double] {
        let weights = weights(q, k)
        var result = [Double](repeating: 0, count: n * d)
        for h in 0..<heads {
            for i in 0..<n {
                for j in 0..<m {
                    let at = (h * n + i) * m + j, weight = weights[at] * factors[at]
                    for c in 0..<head { result[i * d + h * head + c] += weight * v[j * kvStride + h * head + c] }
                }
            }
        }
        return result
    }

    var factors: [Double] {
        (0..<heads * n * m).map { factor($0 / (n * m), $0 / m % n, $0 % m) }
    }
}
