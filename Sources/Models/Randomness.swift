import CKernels

/// Names the random numbers of a pass: they are a function of (seed, stream, step), so no generator has a state.
package struct Randomness: Sendable {
    package let seed: UInt64
    package let step: Int
    private let isOn: Bool

    package init(seed: UInt64, step: Int) {
        self.seed = seed
        self.step = step
        isOn = true
    }

    private init() {
        (seed, step, isOn) = (0, 0, false)
    }

    /// No dropout: translation, validation, capture.
    package static let off = Randomness()

    func dropout(_ rate: Float, stream: Int) -> dropout_t {
        let keep = isOn ? 1 - rate : 1
        return dropout_t(
            seed: seed, stream: UInt32(stream), step: UInt32(truncatingIfNeeded: step),
            keep_below: UInt32((keep * 65536).rounded()), scale: 1 / keep, row: 0)
    }
}

extension dropout_t {
    /// The same for a matrix that begins with this row of the stream.
    func from(row: Int) -> dropout_t {
        var dropout = self
        dropout.row = UInt64(row)
        return dropout
    }
}
