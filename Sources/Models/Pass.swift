import CKernels
import Kernels

/// What one forward (and backward) pass over one slice of a batch works with.
package struct Pass {
    package let weights: FloatBlock
    /// Gradients are added here; nil where only the forward pass is needed.
    package let gradients: FloatBlock?
    package let workspace: Workspace
    package let randomness: Randomness
    /// Whether the Transformer's own matrices get gradients too, or only the networks in attentions' places.
    package let trainsTransformer: Bool
    private let timer: PhaseTimer?

    package init(
        weights: FloatBlock, gradients: FloatBlock? = nil, workspace: Workspace, randomness: Randomness = .off,
        trainsTransformer: Bool = true, timer: PhaseTimer? = nil
    ) {
        self.weights = weights
        self.gradients = gradients
        self.workspace = workspace
        self.randomness = randomness
        self.trainsTransformer = trainsTransformer
        self.timer = timer
    }

    /// What is done from here on counts for `phase`.
    func phase(_ phase: PhaseTimer.Phase) { timer?.enter(phase) }

    func gradient(_ slot: Slot) -> Matrix { gradientBlock[slot] }

    /// Where gradients are added.
    var gradientBlock: FloatBlock {
        guard let gradients else { fatalError("a backward pass needs a gradient block") }
        return gradients
    }
}

/// Names the random numbers of a pass: they are a function of (seed, stream, slice, step), so no generator has a state.
package struct Randomness: Sendable {
    package let seed: UInt64
    package let step: Int
    package let slice: Int
    package let isOn: Bool

    package init(seed: UInt64, step: Int, slice: Int) {
        self.seed = seed
        self.step = step
        self.slice = slice
        isOn = true
    }

    /// The same for another slice of the batch.
    func ofSlice(_ slice: Int) -> Randomness { isOn ? Randomness(seed: seed, step: step, slice: slice) : self }

    private init() {
        (seed, step, slice, isOn) = (0, 0, 0, false)
    }

    /// No dropout: translation, validation, capture.
    package static let off = Randomness()

    func dropout(_ rate: Float, stream: Int) -> dropout_t {
        let keep = isOn ? 1 - rate : 1
        return dropout_t(
            seed: seed, stream: UInt32(slice << 16 | stream), step: UInt32(truncatingIfNeeded: step),
            keep_below: UInt32((keep * 65536).rounded()), scale: 1 / keep)
    }
}
