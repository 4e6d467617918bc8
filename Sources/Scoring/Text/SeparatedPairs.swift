/// Which side of a pair gets a space too, when the two are separated.
enum PairSide {
    case before
    case behind
}

extension Array {
    /// Puts `space` between every two neighbours that fit, and on one side of them, and goes on behind them: what a
    /// regular expression does that replaces `(first)(second)` by ` \1 \2` (before) or `\1 \2 ` (behind).
    @inline(__always)
    func separatingPairs(
        by space: Element, _ side: PairSide, first: (Element) -> Bool, second: (Element) -> Bool
    ) -> [Element] {
        var result: [Element] = []
        result.reserveCapacity(count + 16)
        var index = 0
        while index < count {
            if index + 1 < count, first(self[index]), second(self[index + 1]) {
                if side == .before { result.append(space) }
                result.append(self[index])
                result.append(space)
                result.append(self[index + 1])
                if side == .behind { result.append(space) }
                index &+= 2
            } else {
                result.append(self[index])
                index &+= 1
            }
        }
        return result
    }
}
