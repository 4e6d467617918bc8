import Kernels
import TestSupport
import Testing

@testable import Models

/// A model with weights, and what a pass over it needs.
final class TransformerFixture {
    let model: Transformer
    let weights: FloatBlock
    let gradients: FloatBlock
    let workspace = Workspace()
    let trace = TransformerTrace()

    /// - Parameter specs: networks in the places of attentions
    init(_ configuration: TransformerConfiguration, replacing specs: [String] = [], seed: UInt64 = 1) {
        model = Transformer(configuration, try! Replacements(specs.map(Spec.init(parsing:)), in: configuration))
        weights = model.layout.initialized(seed: seed)
        gradients = FloatBlock(model.layout.count)
    }

    /// Summed loss of the batch, smoothing 0.1; its gradient times `gradientScale` is added to `gradients` where one is
    /// asked for.
    func loss(_ batch: PairBatch, gradientScale: Float? = nil, randomness: Randomness = .off) -> LossSums {
        workspace.reset()
        let pass = Pass(
            weights: weights, gradients: gradientScale == nil ? nil : gradients, workspace: workspace,
            randomness: randomness)
        return model.loss(batch, smoothing: 0.1, gradientScale: gradientScale ?? 0, trace: trace, pass)
    }

    private lazy var learner = BatchGradient(
        model, weights: weights, trained: model.layout.slots, pool: WorkerPool(threads: 2))

    /// The same as training does it, in tiles on two threads; the gradient overwrites `gradients`.
    func trainingLoss(_ batch: PairBatch, gradientScale: Float, randomness: Randomness = .off) -> LossSums {
        learner.weightsHaveChanged()
        return learner.run(
            batch, smoothing: 0.1, scale: gradientScale, randomness: randomness, into: gradients)
    }

    func logits(_ batch: PairBatch) -> [Float] {
        workspace.reset()
        let result = model.logits(batch, trace: trace, Pass(weights: weights, workspace: workspace))
        return withExtendedLifetime(workspace) { Array(UnsafeBufferPointer(start: result.base, count: result.count)) }
    }

    func values(_ slot: Slot, of block: FloatBlock) -> [Float] {
        withExtendedLifetime(block) { Array(block.buffer[slot.range]) }
    }
    func values(of block: FloatBlock) -> [Float] { withExtendedLifetime(block) { Array(block.buffer) } }
}

extension TransformerConfiguration {
    /// Small enough to differentiate by differences.
    static func tiny(_ tying: Tying = .none, layers: Int = 1, dropout: Float = 0) -> TransformerConfiguration {
        var result = TransformerConfiguration(sourceVocabulary: tying == .all ? 13 : 11, targetVocabulary: 13)
        (result.width, result.heads, result.hidden, result.tying) = (8, 2, 12, tying)
        (result.encoderLayers, result.decoderLayers) = (layers, layers)
        (result.embeddingDropout, result.attentionDropout, result.hiddenDropout, result.residualDropout) = (
            dropout, dropout, dropout, dropout
        )
        return result
    }
}

extension PairBatch {
    init(_ pairs: [(source: [Int32], target: [Int32])]) {
        self.init()
        for pair in pairs { append(source: pair.source[...], target: pair.target[...]) }
    }

    /// Pairs of every awkward kind for a vocabulary of at least 11: one token, no target, repeated tokens, unequal
    /// lengths.
    static let awkwardPairs: [(source: [Int32], target: [Int32])] = [
        ([5], [7, 3]), ([3, 4, 3, 9], []), ([10, 0, 6, 6, 6, 8, 4], [4, 9]), ([7, 8], [10, 3, 5, 5, 0, 6]),
        ([9, 9, 3], [8]),
    ]
}

/// Largest |a - b| over largest |b|, with its place.
func largestDifference(_ a: [Float], _ b: [Float]) -> (value: Double, index: Int) {
    guard a.count == b.count else { return (.infinity, min(a.count, b.count)) }
    let size = Double(b.reduce(0) { max($0, abs($1)) })
    var worst = (value: 0.0, index: 0)
    for i in a.indices {
        let difference = abs(Double(a[i]) - Double(b[i]))
        if !(difference <= worst.value) { worst = (difference.isNaN ? .infinity : difference, i) }
    }
    return (worst.value == 0 ? 0 : worst.value / max(size, .leastNormalMagnitude), worst.index)
}

/// Largest |a - b| beside the largest |b|, where that is more than `floor`.
func expectClose(
    _ a: Matrix, _ b: Matrix, within tolerance: Float, atLeast floor: Float = 1e-3, _ what: String,
    at location: SourceLocation = #_sourceLocation
) {
    #expect(a.rows == b.rows && a.columns == b.columns, "\(what)", sourceLocation: location)
    let places = (0..<b.rows).flatMap { row in (0..<b.columns).map { (row, $0) } },
        worst = places.map { abs(a[$0, $1] - b[$0, $1]) }.worst,
        scale = max(floor, places.map { abs(b[$0, $1]) }.max() ?? 0)
    #expect(
        worst <= tolerance * scale, "\(what): largest difference \(worst) of \(scale)", sourceLocation: location)
}

extension Packed {
    /// Sentences whose tokens have no ids.
    init(_ lengths: [Int]) {
        self.init()
        for length in lengths { append(length: length) }
    }
}
