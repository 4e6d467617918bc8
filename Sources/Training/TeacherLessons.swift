import Corpus
import Foundation
import Kernels
import Models

/// How a model learns from another one (knowledge distillation, Hinton et al. 2015).
package struct TeachingSettings: Codable, Equatable, Sendable {
    package enum Trainable: String, Codable, CaseIterable, Sendable {
        /// What stands in attentions' places.
        case networks
        case all
    }

    /// Share of the teacher in the loss: alpha T^2 KL(teacher || model) + (1 - alpha) cross-entropy.
    package var alpha: Float = 0.9
    /// T
    package var temperature: Float = 1
    /// Tokens whose probabilities are kept of each of the teacher's distributions; of all others only the sum is
    /// compared. Spread evenly over them, it would teach the model a distribution much flatter than the teacher's.
    package var likeliest = 8
    package var trainable = Trainable.networks
    /// Weight of the squared difference between the model's and the teacher's contexts (`ContextMatching`); nil: none.
    package var matching: Float?

    package init() {}
}

/// What a teacher says of a training set: its likeliest next tokens at each position. They are the same in every epoch,
/// so the teacher runs once, and for long texts of small vocabularies they are far less than its logits.
package final class TeacherLessons {
    private let settings: TeachingSettings
    private let teacher: Transformer
    private let weights: FloatBlock
    /// [target tokens, likeliest], `</s>` included; empty where the teacher has no share in the loss
    private let ids: [Int32]
    private let probabilities: [Float]
    /// Target tokens of one forward pass.
    private static let batchTokens = 2000

    /// - Parameter stop: asked now and then; what it throws ends the work
    package init(
        _ teacher: Transformer, weights: FloatBlock, _ shard: TokenShard, _ settings: TeachingSettings,
        pool: WorkerPool,
        progress: (Int) -> Void = { _ in }, stop: () throws -> Void = {}
    ) throws {
        self.settings = settings
        self.teacher = teacher
        self.weights = weights
        guard settings.alpha > 0 else {
            ids = []
            probabilities = []
            return
        }
        let k = settings.likeliest, tokens = shard.targetTokens
        var ids = [Int32](repeating: 0, count: tokens * k), probabilities = [Float](repeating: 0, count: tokens * k)
        let batches = shard.consecutiveBatches(of: Self.batchTokens, tokens: shard.targetTokens),
            workers = (0..<pool.threads).map { _ in (Workspace(), TransformerTrace()) }
        try ids.withUnsafeMutableBufferPointer { ids in
            try probabilities.withUnsafeMutableBufferPointer { probabilities in
                try pool.inRounds(batches, stop: stop, progress: progress) { sentences, worker in
                    let (space, trace) = workers[worker], first = shard.firstTargetToken(sentences.lowerBound) * k
                    space.reset()
                    var batch = PairBatch()
                    batch.append(sentences, of: shard)
                    let found = teacher.likeliest(
                        k, batch, temperature: settings.temperature, trace: trace,
                        Pass(weights: weights, workspace: space))
                    for i in found.ids.indices {
                        ids[first + i] = found.ids[i]
                        probabilities[first + i] = exp(found.logProbabilities[i])
                    }
                }
            }
        }
        self.ids = ids
        self.probabilities = probabilities
    }

    /// Labels without any lesson.
    var labels: Labels.Teacher {
        Labels.Teacher(likeliest: settings.likeliest, alpha: settings.alpha, temperature: settings.temperature)
    }

    /// How contexts of a model learn, where that is asked for.
    func matching(for model: Transformer, _ shard: TokenShard, pool: WorkerPool) -> ContextMatching? {
        settings.matching.map { weight in
            var sample = PairBatch()
            sample.append(
                shard.consecutiveBatches(of: Self.batchTokens, tokens: shard.targetTokens).first ?? 0..<0, of: shard)
            return ContextMatching(teacher, weights: weights, model, weight: weight, sample: sample, pool: pool)
        }
    }

    func append(_ sentence: Int, of shard: TokenShard, to labels: inout Labels) {
        guard !ids.isEmpty else { return }
        let k = settings.likeliest, first = shard.firstTargetToken(sentence) * k,
            count = shard.targetTokens(sentence) * k
        for i in first..<first + count {
            labels.teacher!.ids.append(ids[i])
            labels.teacher!.probabilities.append(probabilities[i])
        }
    }
}
