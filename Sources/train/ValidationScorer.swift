import Corpus
import Kernels
import Models
import Scoring

/// BLEU of greedy translations of the validation set.
struct ValidationScorer {
    private let sentences: [[Int32]]
    private let references: [String]
    private let target: Vocabulary
    private let model: Transformer
    private let pool: WorkerPool

    init(_ folder: TokenFolder, model: Transformer, pool: WorkerPool) throws {
        let source = try folder.shard(.valid).source
        sentences = (0..<source.count).map { Array(source[$0]) }
        references = try folder.lines(.valid, .target)
        target = folder.target
        self.model = model
        self.pool = pool
    }

    func bleu(_ weights: FloatBlock) throws -> Double {
        let translator = Translator(model, weights: weights, search: SearchConfiguration(), pool: pool)
        let hypotheses = translator.translate(sentences).map { target.decode($0.ids.map { Int($0) }) }
        return try BLEU().score(hypotheses: hypotheses, references: references).score
    }
}
