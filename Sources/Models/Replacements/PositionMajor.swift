/// The order in which a batch is worked on: sentences by falling length, and their tokens position by position, so that
/// the tokens at position j are consecutive rows, the first `count(j)` sentences of the order.
///
///     sentence lengths 3 1 2     order 0 2 1     rows  0.0 2.0 1.0 | 0.1 2.1 | 0.2
public struct PositionMajor {
    /// Index of the sentence that stands at each place.
    public private(set) var order: [Int]
    /// First row of each position; one more than there are positions.
    public private(set) var starts: [Int]

    /// - Parameter limit: tokens beyond so many are left out.
    public init(lengths: [Int], limit: Int) {
        order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        starts = [0]
        var reach = order.count
        for position in 0..<limit {
            while reach > 0 && lengths[order[reach - 1]] <= position { reach -= 1 }
            if reach == 0 { break }
            starts.append(starts[position] + reach)
        }
    }

    public var sentences: Int { order.count }
    /// Positions that some sentence reaches.
    public var positions: Int { starts.count - 1 }
    public var tokens: Int { starts[positions] }

    /// Sentences longer than `position`: the first so many of the order.
    public func count(_ position: Int) -> Int { position < positions ? starts[position + 1] - starts[position] : 0 }
    public func rows(_ position: Int) -> Range<Int> {
        position < positions ? starts[position]..<starts[position + 1] : tokens..<tokens
    }

    /// Calls `body` with each row, the sentence it belongs to and its position there.
    public func forEachRow(_ range: Range<Int>, _ body: (_ row: Int, _ sentence: Int, _ position: Int) -> Void) {
        guard var position = (0..<positions).first(where: { starts[$0 + 1] > range.lowerBound }) else { return }
        for row in range {
            while row >= starts[position + 1] { position += 1 }
            body(row, order[row - starts[position]], position)
        }
    }
}
