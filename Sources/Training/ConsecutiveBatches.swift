import Corpus
import Foundation
import Kernels
import Models

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

extension PairBatch {
    mutating func append(_ sentences: some Sequence<Int>, of shard: TokenShard) {
        for sentence in sentences { append(source: shard.source[sentence], target: shard.target[sentence]) }
    }
}

extension WorkerPool {
    /// Calls `body` for each batch, one on each thread at a time. Between two rounds it asks whether to stop and tells
    /// how many sentences are done; what `body` throws ends it.
    ///
    /// - Parameter body: gets the batch and its place in the round, from 0 on
    func inRounds(
        _ batches: [Range<Int>], stop: () throws -> Void, progress: (_ sentences: Int) -> Void,
        _ body: (_ batch: Range<Int>, _ worker: Int) throws -> Void
    ) throws {
        for start in stride(from: 0, to: batches.count, by: threads) {
            try stop()
            let round = batches[start..<min(start + threads, batches.count)], failures = FirstError()
            run(round.count) { index in failures.catching { try body(round[start + index], index) } }
            try failures.rethrow()
            progress(round.last!.upperBound)
        }
    }
}

/// Keeps the first error thrown on any thread.
private final class FirstError: @unchecked Sendable {
    private let lock = NSLock()
    private var error: Error?

    func catching(_ body: () throws -> Void) {
        do { try body() } catch { lock.withLock { self.error = self.error ?? error } }
    }

    func rethrow() throws { if let error { throw error } }
}
