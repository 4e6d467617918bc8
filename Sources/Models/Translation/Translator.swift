import Foundation
import Kernels

/// Translates lists of sentences: sorted by length, in batches, each batch on one thread of a pool.
package final class Translator {
    private let model: TranslationModel
    private let configuration: SearchConfiguration
    private let batchTokens: Int
    /// What a shorter sentence counts as.
    private let fewestTokens: Int
    private let pool: WorkerPool
    private let lock = NSLock()
    private var idle: [BeamSearch] = []
    /// Most hypotheses of a batch, about, measured: rows enough for the products, which read all weights once a step.
    private static let batchRows = 108
    /// Most source tokens times the beam where hypotheses remember all positions, and where they do not, for the sake
    /// of memory: 0.2 GiB a thread or less.
    private static let mostTokens = (growing: 6_000, constant: 24_000)

    /// - Parameter batchTokens: most source tokens of a batch times the beam; nil: as suits the model
    package init(
        _ model: TranslationModel, _ configuration: SearchConfiguration, batchTokens: Int? = nil, pool: WorkerPool
    ) {
        require(configuration.problem == nil, configuration.problem ?? "")
        self.model = model
        self.configuration = configuration
        let most = model.hasConstantState ? Self.mostTokens.constant : Self.mostTokens.growing
        self.batchTokens = batchTokens ?? most
        fewestTokens = batchTokens == nil ? most / Self.batchRows : 1
        self.pool = pool
    }

    package convenience init(_ model: Transformer, weights: FloatBlock, search: SearchConfiguration, pool: WorkerPool) {
        self.init(TranslationModel(model, weights: weights), search, pool: pool)
    }

    /// One hypothesis a sentence, in the order of the sentences. A sentence's translation depends on it alone: not on
    /// the others, nor on the sizes of batches, nor on the number of threads. An empty sentence has an empty
    /// translation; of one that is longer than the model can read the beginning is translated, with a warning.
    ///
    /// - Parameter progress: told now and then how many are done; what it throws ends the translation
    package func translate(_ sentences: [[Int32]], progress: (Int) throws -> Void) rethrows -> [Hypothesis] {
        var result = [Hypothesis](repeating: Hypothesis(), count: sentences.count)
        let batches = batches(of: sentences), round = 4 * pool.cutsFor
        var done = sentences.lazy.filter(\.isEmpty).count
        for start in stride(from: 0, to: batches.count, by: round) {
            let group = batches[start..<min(start + round, batches.count)]
            result.withUnsafeMutableBufferPointer { result in
                let output = result.baseAddress!
                pool.run(group.count) { index in
                    let batch = group[start + index]
                    for (sentence, hypothesis) in zip(batch, search(batch.map { sentences[$0] })) {
                        output[sentence] = hypothesis
                    }
                }
            }
            done += group.reduce(0) { $0 + $1.count }
            try progress(done)
        }
        return result
    }

    package func translate(_ sentences: [[Int32]]) -> [Hypothesis] { translate(sentences, progress: { _ in }) }

    /// Indices of the sentences that are not empty, longest first, in batches of about equal work: as many batches as
    /// threads, or a multiple.
    private func batches(of sentences: [[Int32]]) -> [ArraySlice<Int>] {
        let order = sentences.indices.filter { !sentences[$0].isEmpty }.sorted {
            (sentences[$1].count, $0) < (sentences[$0].count, $1)
        }
        func cost(_ index: Int) -> Int {
            max(min(sentences[index].count, model.maximumSource), fewestTokens) * configuration.beam
        }
        let total = order.reduce(0) { $0 + cost($1) }, inRound = batchTokens * pool.cutsFor
        let limit = total / max(1, (total + inRound - 1) / inRound * pool.cutsFor) + 1
        var batches: [ArraySlice<Int>] = [], start = 0, tokens = 0
        for (place, index) in order.enumerated() {
            if place > start, tokens >= limit {
                batches.append(order[start..<place])
                (start, tokens) = (place, 0)
            }
            tokens += cost(index)
        }
        if start < order.count { batches.append(order[start...]) }
        return batches
    }

    private func search(_ batch: [[Int32]]) -> [Hypothesis] {
        let search = lock.withLock { idle.popLast() } ?? BeamSearch(model, configuration)
        defer { lock.withLock { idle.append(search) } }
        let limit = model.maximumSource
        var packed = Packed()
        for sentence in batch { packed.append(sentence: sentence.prefix(limit)) }
        var result = search.run(packed)
        for (index, sentence) in batch.enumerated() {
            if sentence.count > limit {
                result[index].warnings.append(
                    "the source has \(sentence.count) tokens; its first \(limit) were translated")
            }
            if !result[index].isComplete, configuration.forcedLength == nil {
                result[index].warnings.append("cut off after \(result[index].ids.count) tokens")
            }
        }
        return result
    }
}
