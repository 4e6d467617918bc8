import Tensors

/// An epoch's sentences in random order, cut into batches of about the same number of tokens. As nothing is padded
/// there is no reason to put sentences of like length together, and batches are as random as they can be.
package struct EpochOrder {
    package private(set) var sentences: [Int] = []
    package private(set) var batches: [Range<Int>] = []

    package init() {}

    /// - Parameters:
    ///   - tokens: of each sentence
    ///   - batchTokens: a batch ends before it would be exceeded, and holds at least one sentence
    ///   - seed: nil leaves the sentences in their order
    package init(tokens: [Int], batchTokens: Int, seed: UInt64?, epoch: Int) {
        sentences = Self.order(tokens.count, seed, epoch)
        var start = 0, sum = 0
        for (place, sentence) in sentences.enumerated() {
            if place > start && sum + tokens[sentence] > batchTokens {
                batches.append(start..<place)
                (start, sum) = (place, 0)
            }
            sum += tokens[sentence]
        }
        if start < sentences.count { batches.append(start..<sentences.count) }
    }

    /// Batches of so many sentences, whatever their length.
    package init(sentences count: Int, batchSentences: Int, seed: UInt64?, epoch: Int) {
        sentences = Self.order(count, seed, epoch)
        batches = stride(from: 0, to: count, by: batchSentences).map { $0..<min($0 + batchSentences, count) }
    }

    private static func order(_ count: Int, _ seed: UInt64?, _ epoch: Int) -> [Int] {
        var sentences = Array(0..<count)
        guard let seed else { return sentences }
        var random = SplitMix64(seed: seed, index: epoch)
        sentences.shuffle(using: &random)
        return sentences
    }
}
