import CKernels
import Foundation
import Kernels
import Models

package struct DistillationSettings: Codable, Equatable, Sendable {
    /// Sentences of a batch, where `batchTokens` is nil.
    package var batch = 256
    /// Tokens of a batch.
    package var batchTokens: Int?
    /// Of the hidden layer.
    package var dropout: Float = 0
    /// The gradient's norm is cut to this; nil: never.
    package var clip: Float?
    /// For matrices; nil: Adam for all.
    package var muon: Muon?
    /// Whether sentences come in a new order every epoch.
    package var shuffles = true
    package var seed: UInt64 = 1

    package init() {}
}

/// Distillation of one attention: a network learns its outputs from its inputs by the mean squared error over real
/// tokens,
///   1/(T d) sum_t |y_t - attention_t|^2.
package final class DistillationTrainee: Trainee {
    package let spec: Spec
    package let layout: ParameterLayout
    package let weights: FloatBlock
    package let network: any DistillableNetwork
    private let settings: DistillationSettings
    private let train: CapturedActivations
    private let valid: CapturedActivations
    private let distiller: any Distiller
    private let update: DistillationUpdate
    private let pool: WorkerPool
    private var order = EpochOrder()
    private let validVariation: Double
    /// Batches after which pages of the activations are given back, where all would take more memory than this: to map
    /// them again and again takes 7% of the time of small networks.
    private static let batchesMapped = 16
    private static let mostMapped = 768 << 20

    /// - Parameter spec: of one layer
    package init(
        _ spec: Spec, _ teacher: CaptureConfiguration, train: CapturedActivations, valid: CapturedActivations,
        settings: DistillationSettings,
        pool: WorkerPool
    ) throws {
        self.spec = spec
        var layout = ParameterLayout()
        network = spec.network(teacher.shape, &layout)
        self.layout = layout
        // a stream of random numbers of its own for each layer
        weights = layout.initialized(seed: settings.seed &+ UInt64(spec.layer ?? 0) &* 0x9E37_79B9)
        self.settings = settings
        self.train = train
        self.valid = valid
        self.pool = pool
        var setting = DistillerSetting(weights: weights, slots: layout.slots, pool: pool)
        setting.dropout = settings.dropout
        setting.readsMemory = spec.attention.readsMemory
        distiller = network.distiller(setting)
        update = DistillationUpdate(weights, layout.slots, settings, pool)
        validVariation = try valid.totalVariation(pool)
    }

    /// The most threads that can work on a batch; nil where there is no such number.
    package var mostThreads: Int? { distiller.mostThreads }
    package var validationSentences: Int { valid.sentences }

    package func begin(epoch: Int) -> Int {
        order = order(of: train, seed: settings.shuffles ? settings.seed : nil, epoch: epoch)
        return order.batches.count
    }

    private func order(of activations: CapturedActivations, seed: UInt64?, epoch: Int) -> EpochOrder {
        let offsets = activations.offsets, sentences = activations.sentences
        guard let batchTokens = settings.batchTokens else {
            return EpochOrder(sentences: sentences, batchSentences: settings.batch, seed: seed, epoch: epoch)
        }
        let tokens = (0..<sentences).map { offsets[$0 + 1] - offsets[$0] }
        return EpochOrder(tokens: tokens, batchTokens: batchTokens, seed: seed, epoch: epoch)
    }

    package func step(batch: Int, step: Int, rate: Float, adam: Adam) throws -> TrainingSums {
        if train.bytes > Self.mostMapped, batch % Self.batchesMapped == 0 { train.releasePages(pool) }
        update.begin(adam, step: step, rate: rate)
        let (squares, tokens) = try distiller.step(
            train.batch(order.sentences[order.batches[batch]], pool),
            randomness: Randomness(seed: settings.seed, step: step), update)
        return TrainingSums(loss: squares / Double(train.width), units: Double(tokens))
    }

    /// Error, explained variance 1 - SSE/SST, and the cosine of the network's and the attention's output, on the whole
    /// and by position.
    package func validate(epoch: Int?) throws -> Validation {
        var byPosition: [OutputComparison] = []
        let everything = order(of: valid, seed: nil, epoch: 0)
        for batch in everything.batches {
            distiller.compare(try valid.batch(everything.sentences[batch], pool), &byPosition)
        }
        valid.releasePages(pool)
        let total = byPosition.reduce(OutputComparison(), +)
        var metrics = [MetricKey(.valid, .cosine): total.cosines / max(total.tokens, 1)]
        // of what does not vary there is nothing to explain
        if validVariation > 0 { metrics[MetricKey(.valid, .explained)] = 1 - total.squares / validVariation }
        for (position, sums) in byPosition.enumerated() where sums.tokens > 0 {
            metrics[MetricKey(.valid, .cosine, position: position)] = sums.cosines / sums.tokens
        }
        return Validation(loss: total.squares / Double(max(valid.tokens * valid.width, 1)), metrics: metrics)
    }
}
