import CKernels

/// Names the random numbers of a pass: they are a function of (seed, stream, slice, step), so no generator has a state.
package struct Randomness: Sendable {
    package let seed: UInt64
    package let step: Int
    package let slice: Int
    package let isOn: Bool

    package init(seed: UInt64, step: Int, slice: Int = 0) {
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
            keep_below: UInt32((keep * 65536).rounded()), scale: 1 / keep, row: 0)
    }
}
