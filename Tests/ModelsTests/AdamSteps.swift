import CKernels
import Kernels

@testable import Models

/// Weights take a step of Adam as soon as their gradient is known.
struct AdamSteps: GradientSink {
    let weights: FloatBlock
    let moment1: FloatBlock
    let moment2: FloatBlock
    var constants = adam_t()

    init(_ weights: FloatBlock) {
        self.weights = weights
        (moment1, moment2) = (FloatBlock(weights.count), FloatBlock(weights.count))
    }

    func take(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, at start: Int, of slot: Slot) {
        adam_step(weights.base + start, moment1.base + start, moment2.base + start, gradient, count, constants)
    }

    func take(_ gradient: FloatBlock) {
        adam_step(weights.base, moment1.base, moment2.base, gradient.base, weights.count, constants)
    }
}
