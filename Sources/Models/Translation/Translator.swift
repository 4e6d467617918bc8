import Foundation
import Kernels

/// Translates lists of sentences: sorted by length, in batches, each batch on one thread of a pool.
package final class Translator {
    private let model: TranslationModel
    private let configuration: SearchConfiguration
    private let batchTokens: Int
    private let batchRows: Int?
    private let maximumSource: Int
    private let pool: WorkerPool
    private let lock = NSLock()
    private var idle: [BeamSearch] = []
    /// Most hypotheses of a batch of usual sentences, measured: rows enough for the products, which read all weights
    /// once a step. Of much shorter ones there may be twice as many.
    private static let mostRows = 108
    /// Most source tokens times the beam, about, where hypotheses remember all positions and where they do not. With
    /// preset `small` a thread then takes 0.2 GiB or less.
    private static let mostTokens = (growing: 6_000, constant: 24_000)
    /// Of tokens and batches of each thread nobody hears before so many are translated.
    private static let round = (tokens: 6_000, batches: 4)

    /// - Parameter batchTokens: most source tokens of a batch times the beam, about, of any number of sentences; nil:
    ///   as suits the model, of so many sentences too
    package init(
        _ model: TranslationModel, _ configuration: SearchConfiguration, batchTokens: Int? = nil, pool: WorkerPool
    ) {
        require(configuration.problem == nil, configuration.problem ?? "")
        self.model = model
        self.configuration = configuration
        maximumSource = model.maximumSource
        batchRows = batchTokens == nil ? Self.mostRows : nil
        self.batchTokens =
            batchTokens ?? (model.hasConstantState ? Self.mostTokens.constant : Self.mostTokens.growing)
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
        let batches = batches(of: sentences),
            tokens = sentences.reduce(0) { $0 + cost($1) } / max(1, batches.count),
            round = max(1, min(Self.round.batches, Self.round.tokens / max(1, tokens))) * pool.cutsFor
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

    /// Indices of the sentences that are not empty, longest first, in batches of about equal work, as many as threads
    /// or a multiple; in more, where sentences are short.
    func batches(of sentences: [[Int32]]) -> [ArraySlice<Int>] {
        let order = sentences.indices.filter { !sentences[$0].isEmpty }.sorted {
            (sentences[$1].count, $0) < (sentences[$0].count, $1)
        }
        let total = order.reduce(0) { $0 + cost(sentences[$1]) }, beam = configuration.beam
        func rounds(_ all: Int, _ most: Int) -> Int { (all + most * pool.cutsFor - 1) / (most * pool.cutsFor) }
        let byRows = batchRows.map { rounds(order.count * beam, $0) } ?? 1,
            shares = max(rounds(total, batchTokens), byRows) * pool.cutsFor
        var batches: [ArraySlice<Int>] = [], start = 0, begun = 0, tokens = 0
        for (place, index) in order.enumerated() {
            // the share of all tokens that the sentence's middle is in
            let own = cost(sentences[index]), share = (tokens + own / 2) * shares / total
            let isFull = batchRows.map { (place - start + 1) * beam > 2 * $0 } ?? false
            if place > start, share > begun || isFull {
                batches.append(order[start..<place])
                start = place
            }
            if start == place { begun = share }
            tokens += own
        }
        if start < order.count { batches.append(order[start...]) }
        return batches
    }

    /// Of the tokens of a batch.
    private func cost(_ sentence: [Int32]) -> Int { min(sentence.count, maximumSource) * configuration.beam }

    private func search(_ batch: [[Int32]]) -> [Hypothesis] {
        let search = lock.withLock { idle.popLast() } ?? BeamSearch(model, configuration)
        defer { lock.withLock { idle.append(search) } }
        var packed = Packed()
        for sentence in batch { packed.append(sentence: sentence.prefix(maximumSource)) }
        var result = search.run(packed)
        for (index, sentence) in batch.enumerated() {
            if sentence.count > maximumSource {
                result[index].warnings.append(
                    "the source has \(sentence.count) tokens; its first \(maximumSource) were translated")
            }
            if !result[index].isComplete, !result[index].ids.isEmpty, configuration.forcedLength == nil {
                result[index].warnings.append("cut off after \(result[index].ids.count) tokens")
            }
        }
        return result
    }
}
