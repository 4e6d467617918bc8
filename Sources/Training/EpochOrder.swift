/// SplitMix64 (Steele et al. 2014): a small generator for shuffles; its whole state is a function of its seed.
public struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// A stream of its own for each (seed, index).
    public init(seed: UInt64, index: Int) {
        state = seed
        state = next() &+ UInt64(bitPattern: Int64(index)) &* 0xD1B5_4A32_D192_ED03
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// An epoch's sentences in random order, cut into batches of about the same number of tokens. As nothing is padded
/// there is no reason to put sentences of like length together, and batches are as random as they can be.
public struct EpochOrder {
    public private(set) var sentences: [Int] = []
    public private(set) var batches: [Range<Int>] = []

    public init() {}

    /// - Parameters:
    ///   - tokens: of each sentence
    ///   - batchTokens: a batch ends before it would be exceeded, and holds at least one sentence
    ///   - seed: nil leaves the sentences in their order
    public init(tokens: [Int], batchTokens: Int, seed: UInt64?, epoch: Int) {
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
    public init(sentences count: Int, batchSentences: Int, seed: UInt64?, epoch: Int) {
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
