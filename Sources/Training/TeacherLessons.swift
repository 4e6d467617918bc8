import Corpus
import Foundation
import Kernels
import Models
import Processes

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
    /// Hypotheses of the search by which the teacher translates the training text; its translations then stand in place
    /// of the references. nil: the references stay.
    package var translationBeam: Int?

    package init() {}
}

/// What a teacher says of a training set: its likeliest next tokens at each position. They are the same in every epoch,
/// so the teacher runs once; 8 bytes for each token kept, where its logits would be 4 for each of the vocabulary.
package final class TeacherLessons {
    private let settings: TeachingSettings
    private let teacher: Transformer
    private let weights: FloatBlock
    /// [target tokens, likeliest], `</s>` included; empty where the teacher has no share in the loss
    private let ids: [Int32]
    private let probabilities: [Float]
    /// Target tokens of one forward pass.
    private static let batchTokens = 2000

    /// - Parameters:
    ///   - group: each process asks the teacher about a part of the set and hears of the rest from the others
    ///   - progress: hears of the sentences that are done, were all processes as far as this one
    ///   - stop: asked now and then; what it throws ends the work
    package init(
        _ teacher: Transformer, weights: FloatBlock, _ shard: TokenShard, _ settings: TeachingSettings,
        pool: WorkerPool, group: ProcessGroup = .shared,
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
        let all = shard.consecutiveBatches(of: Self.batchTokens, tokens: shard.targetTokens),
            batches = Array(all[group.rank * all.count / group.count..<(group.rank + 1) * all.count / group.count]),
            workers = (0..<pool.threads).map { _ in (Workspace(), TransformerTrace()) }
        try ids.withUnsafeMutableBufferPointer { ids in
            try probabilities.withUnsafeMutableBufferPointer { probabilities in
                try pool.inRounds(
                    batches, stop: stop, progress: { progress(min($0 * group.count, shard.count)) }
                ) { sentences, worker in
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
        let first = batches.first?.lowerBound ?? 0, end = batches.last?.upperBound ?? first
        let own = shard.firstTargetToken(first) * k..<shard.firstTargetToken(end) * k
        self.ids = Self.joined(ids, own, group)
        self.probabilities = Self.joined(probabilities, own, group)
    }

    /// The parts `own` of all processes, one after another.
    private static func joined<Number: BitwiseCopyable>(
        _ numbers: [Number], _ own: Range<Int>, _ group: ProcessGroup
    ) -> [Number] {
        guard group.count > 1 else { return numbers }
        var result = numbers, at = 0
        result.withUnsafeMutableBytes { all in
            for part in group.gather(numbers[own].withUnsafeBytes { Data($0) }) {
                part.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: all[at..<at + part.count]))
                at += part.count
            }
        }
        return result
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
