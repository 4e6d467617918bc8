/// The order in which a batch is worked on: sentences by falling length, and their tokens position by position, so that
/// the tokens at position j are consecutive rows, the first `count(j)` sentences of the order.
///
///     sentence lengths 3 1 2     order 0 2 1     rows  0.0 2.0 1.0 | 0.1 2.1 | 0.2
///
/// Whoever arranges one batch after another keeps one of these and its memory.
package struct PositionMajor {
    /// Index of the sentence that stands at each place.
    package private(set) var order: [Int] = []
    /// Place at which each sentence stands.
    package private(set) var places: [Int] = []
    /// First row of each position; one more than there are positions.
    package private(set) var starts: [Int] = [0]
    /// For each length, the place of the next sentence of that length; in the end, sentences that are at least so long.
    private var next: [Int] = []

    package init() {}

    package init(lengths: [Int], limit: Int) { arrange(lengths.count, limit: limit) { lengths[$0] } }

    /// Puts other sentences in order. Sentences of one length keep theirs.
    ///
    /// - Parameters:
    ///   - limit: tokens beyond so many are left out
    ///   - length: of a sentence of 0..<sentences
    package mutating func arrange(_ sentences: Int, limit: Int, length: (_ sentence: Int) -> Int) {
        Self.clear(&next, limit + 1)
        for sentence in 0..<sentences { next[min(length(sentence), limit)] += 1 }
        var longer = 0
        for length in (0...limit).reversed() { (next[length], longer) = (longer, longer + next[length]) }
        Self.clear(&order, sentences)
        Self.clear(&places, sentences)
        for sentence in 0..<sentences {
            let length = min(length(sentence), limit), place = next[length]
            next[length] += 1
            order[place] = sentence
            places[sentence] = place
        }
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
        for length in 1..<limit + 1 where next[length] > 0 { starts.append(starts[length - 1] + next[length]) }
    }

    private static func clear(_ array: inout [Int], _ count: Int) {
        array.removeAll(keepingCapacity: true)
        for _ in 0..<count { array.append(0) }
    }

    package var sentences: Int { order.count }
    /// Positions that some sentence reaches.
    package var positions: Int { starts.count - 1 }
    package var tokens: Int { starts[positions] }

    /// Sentences longer than `position`: the first so many of the order.
    package func count(_ position: Int) -> Int { position < positions ? starts[position + 1] - starts[position] : 0 }
    package func rows(_ position: Int) -> Range<Int> {
        position < positions ? starts[position]..<starts[position + 1] : tokens..<tokens
    }

    /// Places among some that reach `position`.
    func reaching(_ position: Int, _ places: Range<Int>) -> Range<Int> {
        let count = count(position)
        return min(places.lowerBound, count)..<min(places.upperBound, count)
    }

    /// Rows of sentences at some places, all of which reach `position`.
    func rows(_ position: Int, at places: Range<Int>) -> Range<Int> {
        starts[position] + places.lowerBound..<starts[position] + places.upperBound
    }

    /// Calls `body` with each row, the sentence it belongs to and its position there.
    package func forEachRow(_ body: (_ row: Int, _ sentence: Int, _ position: Int) -> Void) {
        for position in 0..<positions {
            for row in rows(position) { body(row, order[row - starts[position]], position) }
        }
    }
}
