/// Sentences of one language as ids, packed: sentence i is `ids[offsets[i]..<offsets[i + 1]]`.
public struct TokenSequences: Equatable, Sendable {
    public private(set) var ids: [Int32] = []
    /// `count + 1` positions, never falling, the first 0 and the last `ids.count`.
    public private(set) var offsets: [Int] = [0]

    public var count: Int { offsets.count - 1 }

    public init() {}

    init(ids: [Int32], offsets: [Int]) {
        self.ids = ids
        self.offsets = offsets
    }

    public mutating func append(_ sentence: [Int]) {
        ids.append(contentsOf: sentence.lazy.map { Int32($0) })
        offsets.append(ids.count)
    }

    public func range(_ sentence: Int) -> Range<Int> { offsets[sentence]..<offsets[sentence + 1] }
    public func length(_ sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }
    public subscript(sentence: Int) -> ArraySlice<Int32> { ids[range(sentence)] }
}
