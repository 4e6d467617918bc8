import CKernels
import Foundation
import Kernels
import Models

public struct DistillationSettings: Codable, Equatable, Sendable {
    /// Sentences of a batch.
    public var batch = 256
    /// Of the hidden layer.
    public var dropout: Float = 0
    /// Whether sentences come in a new order every epoch.
    public var shuffles = true
    public var seed: UInt64 = 1

    public init() {}
}

/// Distillation of one attention: a replacement learns its outputs from its inputs by the mean squared error over real tokens,
///   1/(T d) sum_t |y_t - attention_t|^2.
public final class ReplacementTrainee: Trainee {
    public let layout: ParameterLayout
    public let weights: FloatBlock
    public let replacement: Replacement
    private let settings: DistillationSettings
    private let train: CapturedActivations
    private let valid: CapturedActivations
    private let training: ReplacementTraining
    private let pool: WorkerPool
    /// Activations of the present batch.
    private let space = Workspace()
    private var orders = CapturedActivations.Orders()
    private var order: [Int] = []
    private let validVariation: Double
    private let maxTokens: Int
    /// Batches after which pages of the activations are given back.
    private static let batchesMapped = 16

    /// - Parameter spec: of one layer
    public init(_ spec: Spec, _ teacher: CaptureConfiguration, train: CapturedActivations, valid: CapturedActivations, settings: DistillationSettings, pool: WorkerPool) {
        var layout = ParameterLayout()
        replacement = Replacement(spec, maxTokens: teacher.maxTokens, width: teacher.width, heads: teacher.heads, &layout)
        self.layout = layout
        // a stream of random numbers of its own for each layer
        weights = layout.initialized(seed: settings.seed &+ UInt64(spec.layer ?? 0) &* 0x9E37_79B9)
        self.settings = settings
        self.train = train
        self.valid = valid
        self.pool = pool
        maxTokens = teacher.maxTokens
        training = ReplacementTraining(replacement, weights: weights, pool: pool)
        training.dropout = settings.dropout
        validVariation = valid.totalVariation()
    }

    public var validationSentences: Int { valid.sentences }

    public func begin(epoch: Int) -> Int {
        order = Array(0..<train.sentences)
        if settings.shuffles {
            var random = SplitMix64(seed: settings.seed, index: epoch)
            order.shuffle(using: &random)
        }
        return (order.count + settings.batch - 1) / settings.batch
    }

    public func step(batch: Int, step: Int, rate: Float, adam: Adam) -> TrainingSums {
        space.reset()
        let sentences = order[batch * settings.batch..<min((batch + 1) * settings.batch, order.count)]
        let (activations, wanted) = train.batch(sentences, maxTokens: maxTokens, &orders, space, pool: pool)
        if batch % Self.batchesMapped == 0 { train.releasePages() }
        let squares = training.step(
            activations, wanted: wanted, randomness: Randomness(seed: settings.seed, step: step, slice: 0),
            .update(moment1: adam.moment1, moment2: adam.moment2, adam.constants(step: step, rate: rate)))
        return TrainingSums(loss: squares / Double(wanted.columns), units: Double(wanted.rows))
    }

    /// Error, explained variance 1 - SSE/SST, and the cosine of the network's and the attention's output, on the whole and by
    /// position.
    public func validate(epoch: Int) -> Validation {
        var byPosition = [[Double]](repeating: [0, 0, 0], count: maxTokens)
        for start in stride(from: 0, to: valid.sentences, by: settings.batch) {
            space.reset()
            let sentences = ArraySlice(start..<min(start + settings.batch, valid.sentences))
            let (batch, wanted) = valid.batch(sentences, maxTokens: maxTokens, &orders, space, pool: pool)
            let out = training.predict(batch)
            for position in 0..<batch.target.order.positions {
                let rows = batch.target.order.rows(position)
                compare_rows(out.row(rows.lowerBound), wanted.row(rows.lowerBound), wanted.stride, rows.count, wanted.columns, &byPosition[position])
            }
        }
        let total = byPosition.reduce([0, 0, 0]) { [$0[0] + $1[0], $0[1] + $1[1], $0[2] + $1[2]] }
        var metrics = [MetricKey(.valid, .cosine): total[1] / max(total[2], 1)]
        // of what does not vary there is nothing to explain
        if validVariation > 0 { metrics[MetricKey(.valid, .explained)] = 1 - total[0] / validVariation }
        for (position, sums) in byPosition.enumerated() where sums[2] > 0 { metrics[MetricKey(.valid, .cosine, position: position)] = sums[1] / sums[2] }
        return Validation(loss: total[0] / Double(max(valid.tokens * valid.width, 1)), metrics: metrics)
    }
}
