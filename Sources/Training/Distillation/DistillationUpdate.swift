import CKernels
import Kernels
import Models

/// Steps of a network's weights: of blocks, by Adam, as soon as their gradients are known, or along the whole gradient.
final class DistillationUpdate: GradientSink {
    private let weights: FloatBlock
    private let update: WeightUpdate
    private let clip: Float?
    private let pool: WorkerPool
    private var adam: Adam?
    private var constants = adam_t()

    init(_ weights: FloatBlock, _ slots: [Slot], _ settings: DistillationSettings, _ pool: WorkerPool) {
        self.weights = weights
        self.pool = pool
        clip = settings.clip
        update = WeightUpdate([0..<weights.count], of: slots, muon: settings.muon)
    }

    /// What follows is step `step`, the first of which is 1.
    func begin(_ adam: Adam, step: Int, rate: Float) {
        self.adam = adam
        constants = adam.constants(step: step, rate: rate)
    }

    func take(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, at start: Int, of slot: Slot) {
        let adam = adam!
        adam_step(
            weights.base + start, adam.moment1.base + start, adam.moment2.base + start, gradient, count,
            slot.decays ? constants : constants.withoutDecay)
    }

    func take(_ gradient: FloatBlock) { update(weights, gradient, adam!, constants, clip: clip, pool: pool) }
}
