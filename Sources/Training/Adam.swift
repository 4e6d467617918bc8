import CKernels
import Foundation
import Kernels

/// Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019):
///   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,
///   w -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) + rate decay w.
public final class Adam {
    public struct Settings: Codable, Equatable, Sendable {
        public var beta1: Float = 0.9
        public var beta2: Float = 0.98
        public var epsilon: Float = 1e-9
        public var decay: Float = 0

        public init() {}
    }

    public let settings: Settings
    public let moment1: FloatBlock
    public let moment2: FloatBlock

    public init(_ settings: Settings, count: Int) {
        self.settings = settings
        moment1 = FloatBlock(count)
        moment2 = FloatBlock(count)
    }

    /// The constants of step `step`, the first of which is 1.
    public func constants(step: Int, rate: Float) -> adam_t {
        adam_t(
            rate: rate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
            correction1: Float(1 - pow(Double(settings.beta1), Double(step))),
            correction2: Float(1 - pow(Double(settings.beta2), Double(step))),
            decay: settings.decay * rate)
    }
}

/// The gradient blocks of a batch's slices, which an update adds up in order and leaves zeroed.
public final class GradientParts {
    public let blocks: [FloatBlock]
    private let bases: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    /// Weights that one task updates: what fits a core's cache with its gradients and moments.
    private static let chunk = 1 << 15

    public init(_ parts: Int, count: Int) {
        blocks = (0..<parts).map { _ in FloatBlock(count) }
        bases = .allocate(capacity: parts)
        for (index, block) in blocks.enumerated() { bases[index] = block.base }
    }

    deinit { bases.deallocate() }

    public func update(_ weights: FloatBlock, _ adam: Adam, _ constants: adam_t, pool: WorkerPool) {
        let chunk = Self.chunk
        pool.run((weights.count + chunk - 1) / chunk) { task in
            let first = task * chunk
            adam_update(
                weights.base, adam.moment1.base, adam.moment2.base, bases, blocks.count, first, min(chunk, weights.count - first), constants)
        }
    }
}
