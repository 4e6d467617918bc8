import Corpus
import Kernels
import Models
import Scoring

final class ValidationScorer {
    init(_ folder: TokenFolder, model: Transformer, pool: WorkerPool) throws {}
    func bleu(_ weights: FloatBlock) throws -> Double { 0 }
}
