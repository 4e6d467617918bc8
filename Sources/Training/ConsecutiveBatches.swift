import Corpus

extension TokenShard {
    /// Consecutive sentences of about `batchTokens` tokens, whatever the number of threads.
    ///
    /// - Parameter tokens: of a sentence, as they are counted
    func consecutiveBatches(of batchTokens: Int, tokens count: (_ sentence: Int) -> Int) -> [Range<Int>] {
        var result: [Range<Int>] = [], start = 0, tokens = 0
        for sentence in 0..<self.count {
            tokens += count(sentence)
            if tokens >= batchTokens || sentence == self.count - 1 {
                result.append(start..<sentence + 1)
                (start, tokens) = (sentence + 1, 0)
            }
        }
        return result
    }

    /// Target tokens of all sentences as a model sees them.
    package var targetTokens: Int { firstTargetToken(count) }

    /// Target tokens of a sentence as a model sees it, one more than its text has.
    func targetTokens(_ sentence: Int) -> Int { target.length(sentence) + 1 }

    /// A sentence's first target token among all, as a model sees them.
    func firstTargetToken(_ sentence: Int) -> Int { target.offsets[sentence] + sentence }
}
