import Corpus
import Kernels
import Models
import Scoring

/// BLEU (0 to 100, as sacreBLEU computes it) of greedy translations of the validation set, detokenised.
public struct ValidationScorer {
    private let sentences: [[Int32]]
    private let references: [String]
    private let target: Vocabulary
    private let pool: WorkerPool

    public init(_ folder: TokenFolder, pool: WorkerPool) throws {
        try folder.requireSentences(.valid)
        let source = try folder.shard(.valid).source
        sentences = (0..<source.count).map { Array(source[$0]) }
        references = try folder.lines(.valid, .target)
        target = folder.target
        self.pool = pool
    }

    public func bleu(_ model: Transformer, weights: FloatBlock) throws -> Double {
        let translator = Translator(model, weights: weights, search: SearchConfiguration(), pool: pool)
        let hypotheses = translator.translate(sentences).map { target.decode($0.ids.map { Int($0) }) }
        return try BLEU().score(hypotheses: hypotheses, references: references).score
    }
}
