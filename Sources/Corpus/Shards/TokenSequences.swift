/// Sentences of one language as ids, packed: sentence i is `ids[offsets[i]..<offsets[i + 1]]`.
package struct TokenSequences: Equatable, Sendable {
    package private(set) var ids: [Int32] = []
    /// `count + 1` positions, never falling, the first 0 and the last `ids.count`.
    package private(set) var offsets: [Int] = [0]

    package var count: Int { offsets.count - 1 }

    package init() {}

    init(ids: [Int32], offsets: [Int]) {
        self.ids = ids
        self.offsets = offsets
    }

    package mutating func append(_ sentence: [Int]) {
        ids.append(contentsOf: sentence.lazy.map { Int32($0) })
        offsets.append(ids.count)
    }

    package func range(_ sentence: Int) -> Range<Int> { offsets[sentence]..<offsets[sentence + 1] }
    package func length(_ sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }
    package subscript(sentence: Int) -> ArraySlice<Int32> { ids[range(sentence)] }
}
