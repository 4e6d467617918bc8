import Models

/// A batch cut into shares of neighbouring sentences, for processes to work at: gradients are added up along a binary
/// tree over the shares, (0 + 1) + (2 + 3) ..., so that they are the same bits in one process and in several.
package enum Shares {
    package static let range = 1...1024

    /// What is wrong with so many shares in so many processes, in words.
    package static func problem(_ shares: Int, processes: Int) -> String? {
        func isPowerOf2(_ count: Int) -> Bool { count > 0 && count & (count - 1) == 0 }
        guard isPowerOf2(processes) else { return "\(processes) processes: expected a power of two" }
        if !range.contains(shares) || !isPowerOf2(shares) {
            return "\(shares) shares: expected a power of two up to \(range.upperBound)"
        }
        guard processes > shares else { return nil }
        return "\(processes) processes: expected at most as many as the \(shares) shares of a batch"
    }

    /// Of about as many target tokens each; there may be none in it.
    static func cut(_ batch: PairBatch, into count: Int, _ shares: inout [Range<Int>]) {
        let offsets = batch.target.offsets, tokens = batch.target.tokens
        var start = 0
        shares.removeAll(keepingCapacity: true)
        for share in 1...count {
            var end = start
            while end < batch.target.sentences, share == count || offsets[end] * count < tokens * share { end += 1 }
            shares.append(start..<end)
            start = end
        }
    }
}
