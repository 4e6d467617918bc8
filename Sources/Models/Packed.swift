import Kernels

/// Sentences of one side, one after another. Nothing is padded: row `offsets[s] + i` of every matrix is token i of
/// sentence s.
public struct Packed {
    public private(set) var ids: [Int32] = []
    /// Place of each token in its sentence.
    public private(set) var positions: [Int32] = []
    public private(set) var offsets: [Int] = [0]

    public init() {}

    public var sentences: Int { offsets.count - 1 }
    public var tokens: Int { ids.count }

    public func range(_ sentence: Int) -> Range<Int> { offsets[sentence]..<offsets[sentence + 1] }
    public func length(_ sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }

    /// Forgets the sentences and keeps the memory.
    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    public mutating func append(_ token: Int32) {
        positions.append(Int32(ids.count - offsets[offsets.count - 1]))
        ids.append(token)
    }

    public mutating func endSentence() { offsets.append(ids.count) }

    /// A sentence whose tokens have no ids.
    mutating func append(length: Int) {
        for _ in 0..<length { append(0) }
        endSentence()
    }

    /// Of one type, since a generic function that another module calls allocates at every token.
    public mutating func append(sentence: ArraySlice<Int32>) {
        for token in sentence { append(token) }
        endSentence()
    }
}
