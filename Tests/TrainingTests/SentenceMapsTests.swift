import Corpus
import Testing

@testable import Training

/// Which sentences get maps.
struct SentenceMapsTests {
    private func shard(_ lengths: [(Int, Int)]) -> TokenShard {
        var shard = TokenShard()
        for (source, target) in lengths {
            shard.append(source: Array(repeating: 3, count: source), target: Array(repeating: 3, count: target))
        }
        return shard
    }

    @Test func chosenOverTheLengths() {
        let shard = shard([(9, 9), (2, 2), (5, 5), (7, 7), (1, 1), (3, 3)])
        #expect(SentenceMaps.choose(3, of: shard, maxTokens: 50) == [1, 2, 0])
        #expect(SentenceMaps.choose(1, of: shard, maxTokens: 50) == [2])
        #expect(SentenceMaps.choose(2, of: shard, maxTokens: 50) == [1, 3])
    }

    @Test func ofEqualLengthByNumber() {
        #expect(SentenceMaps.choose(1, of: shard([(4, 4), (4, 4), (4, 4)]), maxTokens: 50) == [1])
        #expect(SentenceMaps.choose(3, of: shard([(4, 4), (2, 4), (4, 4)]), maxTokens: 50) == [1, 0, 2])
    }

    /// None that cannot be drawn, that a network would not see all of, or that is empty.
    @Test func onlyWhatFits() {
        let shard = shard([(20, 19), (21, 5), (5, 20), (0, 3), (3, 0), (6, 5), (6, 6)])
        #expect(SentenceMaps.choose(9, of: shard, maxTokens: 50) == [5, 6, 0])
        #expect(SentenceMaps.choose(9, of: shard, maxTokens: 6) == [5])
        #expect(SentenceMaps.choose(9, of: shard, maxTokens: 2) == [])
    }
}
