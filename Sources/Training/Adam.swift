import CKernels
import Foundation
import Kernels

/// Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019):
///   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,
///   w -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) + rate decay w.
package final class Adam {
    package struct Settings: Codable, Equatable, Sendable {
        package var beta1: Float = 0.9
        package var beta2: Float = 0.98
        package var epsilon: Float = 1e-9
        package var decay: Float = 0

        package init() {}
    }

    package let settings: Settings
    package let moment1: FloatBlock
    package let moment2: FloatBlock

    package init(_ settings: Settings, count: Int) {
        self.settings = settings
        moment1 = FloatBlock(count)
        moment2 = FloatBlock(count)
    }

    /// The constants of step `step`, the first of which is 1.
    package func constants(step: Int, rate: Float) -> adam_t {
        adam_t(
            rate: rate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
            correction1: Float(1 - pow(Double(settings.beta1), Double(step))),
            correction2: Float(1 - pow(Double(settings.beta2), Double(step))),
            decay: settings.decay * rate)
    }
}

/// Steps of weights along a gradient, dealt by chunks.
package final class WeightUpdate {
    /// Weights that one task updates: what fits a core's cache with their gradient and moments.
    private static let chunk = 1 << 15
    private let chunks: [Range<Int>]
    /// Sum of the squares of each chunk's gradient.
    private var squares: [Double]

    /// - Parameter trained: ranges of the weights that are updated; gradients elsewhere are of no account
    package init(_ trained: [Range<Int>]) {
        chunks = trained.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk).map {
                $0..<min($0 + Self.chunk, range.upperBound)
            }
        }
        squares = Array(repeating: 0, count: chunks.count)
    }

    /// - Parameter clip: the norm of the gradient is cut to this; nil: never
    package func callAsFunction(
        _ weights: FloatBlock, _ gradient: FloatBlock, _ adam: Adam, _ constants: adam_t, clip: Float? = nil,
        pool: WorkerPool
    ) {
        let factor = clip.map { self.factor($0, gradient, pool) } ?? 1
        pool.run(chunks.count) { task in
            let chunk = chunks[task], first = chunk.lowerBound, g = gradient.base + first
            if factor < 1 { for i in 0..<chunk.count { g[i] *= factor } }
            adam_step(
                weights.base + first, adam.moment1.base + first, adam.moment2.base + first, g, chunk.count, constants)
        }
    }

    /// What makes the gradient no longer than `clip`.
    private func factor(_ clip: Float, _ gradient: FloatBlock, _ pool: WorkerPool) -> Float {
        squares.withUnsafeMutableBufferPointer { squares in
            pool.run(chunks.count) { task in
                let chunk = chunks[task], g = gradient.base + chunk.lowerBound
                var total = 0.0
                for i in 0..<chunk.count { total += Double(g[i]) * Double(g[i]) }
                squares[task] = total
            }
        }
        return Float(Double(clip) / squares.reduce(0, +).squareRoot())
    }
}
