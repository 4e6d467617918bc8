import Corpus
import Kernels
import Models
import Processes

/// Teacher-forced training of a Transformer on sentence pairs, with networks in attentions' places or without.
package final class TransformerTrainee: Trainee {
    /// How a Transformer is trained on sentence pairs.
    package struct Settings: Codable, Equatable, Sendable {
        /// Target tokens of a batch, `</s>` included.
        package var batchTokens = 1500
        package var smoothing: Float = 0.1
        package var seed: UInt64 = 1
        /// The gradient's norm is cut to this; nil: never.
        package var clip: Float?
        /// Parts that a batch is cut into for processes, a power of two; nil: one.
        package var shares: Int?
        /// For matrices; nil: Adam for all.
        package var muon: Muon?
        /// For a model that learns from another one; nil: from references alone.
        package var teaching: TeachingSettings?

        package init() {}
    }

    package let model: Transformer
    package let weights: FloatBlock
    package var layout: ParameterLayout { model.layout }
    private let settings: Settings
    private let train: TokenShard
    private let valid: TokenShard
    /// The validation set as a teacher translates it, where the model learns its translations.
    private let validTranslations: TokenShard?
    private let pool: WorkerPool
    private let learner: BatchGradient
    private let gradient: FloatBlock
    private let update: WeightUpdate
    private let group: ProcessGroup
    /// Sentences of the batch's shares, and their losses.
    private var shares: [Range<Int>] = []
    private var losses: [Double]
    /// Gradients of shares that wait to be added up.
    private var waiting: [FloatBlock] = []
    private var batch = PairBatch()
    /// What this process sent to others in the last step.
    package private(set) var bytesPerStep = 0.0
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
    ///   - validTranslations: the validation set with translations in place of references, where `train` has them too:
    ///     the validation loss is then theirs
    ///   - lessons: what a teacher says of `train`
    package init(
        _ model: Transformer, weights start: FloatBlock? = nil, train: TokenShard, valid: TokenShard,
        validTranslations: TokenShard? = nil, settings: Settings, lessons: TeacherLessons? = nil, pool: WorkerPool,
        group: ProcessGroup = .alone
    ) {
        self.model = model
        self.group = group
        losses = [Double](repeating: 0, count: settings.shares ?? 1)
        require(losses.count.isMultiple(of: group.count), "\(losses.count) shares for \(group.count) processes")
        self.lessons = lessons
        self.settings = settings
        self.train = train
        self.valid = valid
        self.validTranslations = validTranslations
        self.pool = pool
        weights = start ?? model.layout.initialized(seed: settings.seed)
        let all = settings.teaching?.trainable != .networks
        let trained = all ? model.layout.slots : model.replacements.specs.flatMap { model.slots(of: $0) }
        learner = BatchGradient(
            model, weights: weights, trained: trained, trainsTransformer: all,
            matching: lessons?.matching(for: model, train, pool: pool), pool: pool)
        gradient = FloatBlock(weights.count)
        update = WeightUpdate(
            all ? [0..<weights.count] : trained.map(\.range), of: model.layout.slots,
            muon: settings.muon)
        batch.labels.teacher = lessons?.labels
        targetTokens = (0..<train.count).map(train.targetTokens)
    }

    /// The most threads that can work on a batch; nil where there is no such number.
    package var mostThreads: Int? { learner.mostThreads }
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
        for place in order.batches[index] {
            let sentence = order.sentences[place]
            batch.append(CollectionOfOne(sentence), of: train)
            lessons?.append(sentence, of: train, to: &batch.labels)
        }
        Shares.cut(batch, into: losses.count, &shares)
        for share in losses.indices { losses[share] = 0 }
        let own = shares.count / group.count
        differentiate(
            group.rank * own..<(group.rank + 1) * own, Randomness(seed: settings.seed, step: step), into: gradient)
        group.sum(&losses)
        let sent = group.bytesSent
        updateTimer?.enter(.optimizer)
        update(
            weights, gradient, adam, adam.constants(step: step, rate: rate), clip: settings.clip, pool: pool,
            group: group)
        updateTimer?.leave()
        learner.weightsHaveChanged()
        bytesPerStep = Double(group.bytesSent - sent)
        return TrainingSums(loss: losses.reduce(0, +), units: Double(batch.target.tokens))
    }

    /// The gradient of some of the shares, half and half, and their losses.
    private func differentiate(
        _ own: Range<Int>, _ randomness: Randomness, into sum: FloatBlock, depth: Int = 0
    ) {
        guard own.count > 1 else {
            let sentences = shares[own.lowerBound]
            guard !sentences.isEmpty else { return sum.buffer.update(repeating: 0) }
            let sums = learner.run(
                batch, sentences: sentences, smoothing: settings.smoothing, scale: 1 / Float(batch.target.tokens),
                randomness: randomness, into: sum)
            losses[own.lowerBound] = sums.loss
            return
        }
        if waiting.count == depth { waiting.append(FloatBlock(sum.count)) }
        let middle = own.lowerBound + own.count / 2
        differentiate(own.lowerBound..<middle, randomness, into: sum, depth: depth + 1)
        differentiate(middle..<own.upperBound, randomness, into: waiting[depth], depth: depth + 1)
        update.add(waiting[depth], to: sum, pool)
    }

    package func withAllMoments(_ adam: Adam, _ body: () throws -> Void) rethrows {
        try update.withAllMoments(adam, group, body)
    }

    package func keepOwnMoments(_ adam: Adam) { update.keepOwn(adam, group) }

    package func validate(epoch: Int?) throws -> Validation {
        learner.weightsHaveChanged()  // as an average may have been read into them
        let references = losses(of: valid), learnt = validTranslations.map(losses) ?? references
        var metrics = [MetricKey(.valid, .nll): references.meanNLL]
        if let epoch, let bleu = try validationBLEU(epoch, weights) { metrics[MetricKey(.valid, .bleu)] = bleu }
        return Validation(loss: learnt.mean, metrics: metrics)
    }

    private func losses(of shard: TokenShard) -> LossSums {
        var total = LossSums()
        for sentences in shard.consecutiveBatches(of: settings.batchTokens * 2, tokens: shard.targetTokens) {
            batch.removeAll()
            batch.append(sentences, of: shard)
            total = total + learner.loss(batch, smoothing: settings.smoothing)
        }
        return total
    }
}
