import CKernels
import Foundation
import Testing

struct OptimizerTests {
    /// Kingma & Ba 2015, algorithm 1, with weight decay taken from the weights themselves (Loshchilov & Hutter 2019,
    /// algorithm 2).
    struct Textbook {
        var weights: [Double]
        var m: [Double]
        var v: [Double]
        var t = 0.0

        init(_ weights: [Float]) {
            self.weights = widened(weights)
            m = weights.map { _ in 0 }
            v = m
        }

        mutating func update(_ gradient: [Double], rate: Double, decay: Double) {
            t += 1
            for i in weights.indices {
                m[i] = 0.9 * m[i] + 0.1 * gradient[i]
                v[i] = 0.98 * v[i] + 0.02 * gradient[i] * gradient[i]
                let mean = m[i] / (1 - pow(0.9, t)), variance = v[i] / (1 - pow(0.98, t))
                weights[i] -= rate * decay * weights[i] + rate * mean / (variance.squareRoot() + 1e-9)
            }
        }
    }

    private func settings(rate: Double, step: Int, decay: Double) -> adam_t {
        adam_t(
            rate: Float(rate), beta1: 0.9, beta2: 0.98, epsilon: 1e-9, correction1: Float(1 - pow(0.9, Double(step))),
            correction2: Float(1 - pow(0.98, Double(step))), decay: Float(rate * decay))
    }

    @Test(arguments: [1, 2, 3, 16, 17, 511, 512, 513, 1100])
    func isTheTextbookUpdate(count: Int) {
        for decay in [0, 0.1] {
            var source = Source(UInt64(count))
            let start = source.floats(count)
            var weights = start, m = [Float](repeating: 0, count: count), v = m, expected = Textbook(start)
            for step in 1...4 {
                let gradient = source.floats(count), rate = 0.01 * Double(step)
                adam_step(&weights, &m, &v, gradient, count, settings(rate: rate, step: step, decay: decay))
                expected.update(widened(gradient), rate: rate, decay: decay)
            }
            let what = "Adam, \(count) weights, decay \(decay)"
            expectClose(weights, expected.weights, within: 2e-6, "weights of \(what)")
            expectClose(m, expected.m, within: 1e-6, "first moment of \(what)")
            expectClose(v, expected.v, within: 1e-6, "second moment of \(what)")
        }
    }

    @Test func aGradientThatWasAlwaysZeroMovesNothing() {
        var weights: [Float] = [1, -2], m: [Float] = [0, 0], v: [Float] = [0, 0]
        adam_step(&weights, &m, &v, [0, 0], 2, settings(rate: 1, step: 1, decay: 0))
        #expect(weights == [1, -2])
    }

    /// Long after its last gradient a moment is zero, not a subnormal number that rounding never lets go.
    @Test func momentsThatNoLongerMatterEnd() {
        var weights: [Float] = [1, 1], m: [Float] = [1e-3, 5e-45], v: [Float] = [1e-6, 3e-44]
        for _ in 0..<4000 { adam_step(&weights, &m, &v, [0, 0], 2, settings(rate: 1e-3, step: 5000, decay: 0)) }
        #expect(m == [0, 0] && v == [0, 0] && weights.allSatisfy(\.isFinite))
    }

    @Test(arguments: [1, 15, 16, 17, 513]) func momentumPointsAhead(count: Int) {
        var source = Source(UInt64(count)), moment = [Float](repeating: 0, count: count), expected = widened(moment)
        var y = moment
        for _ in 0..<3 {
            let gradient = source.floats(count)
            let squares = momentum_step(&moment, gradient, &y, count, 0.9)
            expected = zip(expected, widened(gradient)).map { 0.9 * $0 + 0.1 * $1 }
            let next = zip(expected, widened(gradient)).map { 0.9 * $0 + 0.1 * $1 }
            expectClose(moment, expected, within: 1e-6, "momentum of \(count)")
            expectClose(y, next, within: 1e-6, "direction of \(count)")
            let sum = next.reduce(0) { $0 + $1 * $1 }
            #expect(abs(squares - sum) <= 1e-5 * sum)
        }
    }

    @Test(arguments: [(1, 1), (1, 40), (40, 1), (16, 16), (17, 33), (512, 20)])
    func columnsBecomeRows(rows: Int, columns: Int) {
        let x = (0..<rows * columns).map(Float.init)
        var y = [Float](repeating: -1, count: rows * columns)
        transpose_rows(x, &y, rows, columns)
        for r in 0..<rows {
            #expect((0..<columns).allSatisfy { y[$0 * rows + r] == x[r * columns + $0] })
        }
    }
}
