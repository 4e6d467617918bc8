/// The hypotheses of one step, all at the same position.
package struct StepRows {
    /// Each row's newest token, `<s>` at first.
    package internal(set) var tokens: [Int32] = []
    package internal(set) var slots: [Int32] = []
    /// The source sentence of each row.
    package internal(set) var sentences: [Int32] = []
    /// Tokens of each row's source.
    package internal(set) var sourceLengths: [Int32] = []
    /// Place of the newest tokens, 0 for `<s>`.
    package internal(set) var position = 0
    /// The same for each row, and one more: positions and filled lengths as kernels want them.
    private(set) var positions: [Int32] = []
    private(set) var lengths: [Int32] = []

    package var count: Int { tokens.count }

    mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        sentences.removeAll(keepingCapacity: true)
        sourceLengths.removeAll(keepingCapacity: true)
    }

    mutating func setPosition(_ value: Int) {
        position = value
        positions.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            positions.append(Int32(value))
            lengths.append(Int32(value + 1))
        }
    }
}
