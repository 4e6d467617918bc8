import Kernels

/// Sentences of one side, one after another. Nothing is padded: row `offsets[s] + i` of every matrix is token i of
/// sentence s.
package struct Packed {
    package private(set) var ids: [Int32] = []
    /// Place of each token in its sentence.
    package private(set) var positions: [Int32] = []
    package private(set) var offsets: [Int] = [0]

    package init() {}

    package var sentences: Int { offsets.count - 1 }
    package var tokens: Int { ids.count }

    package func range(_ sentence: Int) -> Range<Int> { offsets[sentence]..<offsets[sentence + 1] }
    package func length(_ sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }

    /// Sentences from `start` on that have so many tokens at most, but at least one sentence.
    func group(from start: Int, tokens: Int) -> Range<Int> {
        var end = start + 1
        while end < sentences, offsets[end + 1] - offsets[start] <= tokens { end += 1 }
        return start..<end
    }

    /// Forgets the sentences and keeps the memory.
    package mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    package mutating func append(_ token: Int32) {
        positions.append(Int32(ids.count - offsets[offsets.count - 1]))
        ids.append(token)
    }

    package mutating func endSentence() { offsets.append(ids.count) }

    /// A sentence whose tokens have no ids.
    mutating func append(length: Int) {
        ids.append(contentsOf: repeatElement(0, count: length))
        positions.append(contentsOf: 0..<Int32(length))
        endSentence()
    }

    /// Of one type, since a generic function that another module calls allocates at every token.
    package mutating func append(sentence: ArraySlice<Int32>) {
        ids.append(contentsOf: sentence)
        positions.append(contentsOf: 0..<Int32(sentence.count))
        endSentence()
    }
}
