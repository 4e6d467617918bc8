import Corpus
import Kernels
import Models

/// How a Transformer is trained on sentence pairs.
package struct TeacherSettings: Codable, Equatable, Sendable {
    /// Target tokens of a batch, `</s>` included.
    package var batchTokens = 1500
    package var smoothing: Float = 0.1
    package var seed: UInt64 = 1
    /// The gradient's norm is cut to this; nil: never.
    package var clip: Float?
    /// For a model that learns from another one; nil: from references alone.
    package var teaching: TeachingSettings?

    package init() {}
}

/// Teacher-forced training of a Transformer on sentence pairs, with networks in attentions' places or without.
package final class TeacherTrainee: Trainee {
    package let model: Transformer
    package let weights: FloatBlock
    package var layout: ParameterLayout { model.layout }
    private let settings: TeacherSettings
    private let train: TokenShard
    private let valid: TokenShard
    private let pool: WorkerPool
    private let learner: BatchGradient
    private let gradient: FloatBlock
    private let update: WeightUpdate
    private var batch = PairBatch()
    /// Thread-seconds by phase, from when it was switched on; all threads work at the update.
    package var phases: [PhaseTimer.Phase: Double]? {
        updateTimer.map { update in
            let timers = learner.timers, threads = Double(pool.threads)
            return Dictionary(
                uniqueKeysWithValues: PhaseTimer.Phase.allCases.map { phase in
                    (phase, timers.reduce(update.seconds[phase.rawValue] * threads) { $0 + $1.seconds[phase.rawValue] })
                })
        }
    }
    private var updateTimer: PhaseTimer?
    private let targetTokens: [Int]
    private var order = EpochOrder()
    /// BLEU of the present weights on the validation set, where it is asked for after this epoch.
    package var validationBLEU: (_ epoch: Int, FloatBlock) throws -> Double? = { _, _ in nil }
    /// What a teacher says of `train`; nil where none teaches.
    private let lessons: TeacherLessons?

    /// - Parameters:
    ///   - weights: to go on from; fresh ones if nil
    ///   - lessons: what a teacher says of `train`
    package init(
        _ model: Transformer, weights start: FloatBlock? = nil, train: TokenShard, valid: TokenShard,
        settings: TeacherSettings,
        lessons: TeacherLessons? = nil, pool: WorkerPool
    ) {
        self.model = model
        self.lessons = lessons
        self.settings = settings
        self.train = train
        self.valid = valid
        self.pool = pool
        weights = start ?? model.layout.initialized(seed: settings.seed)
        let all = settings.teaching?.trainable != .networks
        let trained = all ? model.layout.slots : model.replacements.specs.flatMap { model.slots(of: $0) }
        learner = BatchGradient(model, weights: weights, trained: trained, trainsTransformer: all, pool: pool)
        gradient = FloatBlock(weights.count)
        update = WeightUpdate(all ? [0..<weights.count] : trained.map(\.range))
        batch.labels.teacher = lessons?.labels
        targetTokens = (0..<train.count).map { train.target.length($0) + 1 }
    }

    package var validationSentences: Int { valid.count }

    package func switchOnPhaseTimer() {
        learner.switchOnPhaseTimers()
        updateTimer = PhaseTimer()
    }

    package func begin(epoch: Int) -> Int {
        learner.weightsHaveChanged()  // as a checkpoint may have been read into them
        order = EpochOrder(tokens: targetTokens, batchTokens: settings.batchTokens, seed: settings.seed, epoch: epoch)
        return order.batches.count
    }

    package func step(batch index: Int, step: Int, rate: Float, adam: Adam) -> TrainingSums {
        batch.removeAll()
        for place in order.batches[index] { append(order.sentences[place], of: train, with: lessons) }
        let sums = learner.run(
            batch, smoothing: settings.smoothing, scale: 1 / Float(batch.target.tokens),
            randomness: Randomness(seed: settings.seed, step: step),
            into: gradient)
        updateTimer?.enter(.optimizer)
        update(weights, gradient, adam, adam.constants(step: step, rate: rate), clip: settings.clip, pool: pool)
        updateTimer?.leave()
        learner.weightsHaveChanged()
        return TrainingSums(loss: sums.loss, units: Double(sums.tokens))
    }

    package func validate(epoch: Int) throws -> Validation {
        learner.weightsHaveChanged()  // as an average may have been read into them
        var total = LossSums(), start = 0
        while start < valid.count {
            var end = start
            batch.removeAll()
            while end < valid.count && batch.target.tokens < settings.batchTokens * 2 {
                append(end, of: valid, with: nil)
                end += 1
            }
            total = total + learner.loss(batch, smoothing: settings.smoothing)
            start = end
        }
        var metrics = [MetricKey(.valid, .nll): total.meanLikelihood]
        if let bleu = try validationBLEU(epoch, weights) { metrics[MetricKey(.valid, .bleu)] = bleu }
        return Validation(loss: total.mean, metrics: metrics)
    }

    private func append(_ sentence: Int, of shard: TokenShard, with lessons: TeacherLessons?) {
        batch.append(source: shard.source[sentence], target: shard.target[sentence])
        lessons?.append(sentence, of: shard, to: &batch.labels)
    }
}
