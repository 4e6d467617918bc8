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
