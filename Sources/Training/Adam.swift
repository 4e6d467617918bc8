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

/// The gradient blocks of a batch's slices, which an update adds up in order and leaves zeroed.
package final class GradientParts {
    package let blocks: [FloatBlock]
    private let bases: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    /// Weights that one task updates: what fits a core's cache with its gradients and moments.
    private static let chunk = 1 << 15
    private let chunks: [Range<Int>]
    /// Squares of each chunk's summed gradient.
    private let squares: UnsafeMutableBufferPointer<Double>

    /// - Parameter trained: ranges of the weights that are updated; gradients elsewhere are of no account
    package init(_ parts: Int, count: Int, trained: [Range<Int>]? = nil) {
        blocks = (0..<parts).map { _ in FloatBlock(count) }
        bases = .allocate(capacity: parts)
        for (index, block) in blocks.enumerated() { bases[index] = block.base }
        chunks = (trained ?? [0..<count]).flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk).map {
                $0..<min($0 + Self.chunk, range.upperBound)
            }
        }
        squares = .allocate(capacity: chunks.count)
    }

    deinit {
        bases.deallocate()
        squares.deallocate()
    }

    /// - Parameter clip: the norm of the gradient is cut to this; nil: never
    package func update(_ weights: FloatBlock, _ adam: Adam, _ constants: adam_t, clip: Float? = nil, pool: WorkerPool)
    {
        var parts = blocks.count
        if let clip {
            cut(to: clip, pool)
            parts = 1
        }
        pool.run(chunks.count) { task in
            let chunk = chunks[task]
            adam_update(
                weights.base, adam.moment1.base, adam.moment2.base, bases, parts, chunk.lowerBound, chunk.count,
                constants)
        }
    }

    /// The first block becomes the sum of all, no longer than `clip`; the others become zero.
    private func cut(to clip: Float, _ pool: WorkerPool) {
        pool.run(chunks.count) { task in
            let chunk = chunks[task], sum = blocks[0].base + chunk.lowerBound
            for block in blocks.dropFirst() {
                let part = block.base + chunk.lowerBound
                for i in 0..<chunk.count {
                    sum[i] += part[i]
                    part[i] = 0
                }
            }
            var total = 0.0
            for i in 0..<chunk.count { total += Double(sum[i]) * Double(sum[i]) }
            squares[task] = total
        }
        let factor = Float(Double(clip) / squares.reduce(0, +).squareRoot())
        guard factor < 1 else { return }
        pool.run(chunks.count) { task in
            let chunk = chunks[task], sum = blocks[0].base + chunk.lowerBound
            for i in 0..<chunk.count { sum[i] *= factor }
        }
    }
}
