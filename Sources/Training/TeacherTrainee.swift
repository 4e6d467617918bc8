import Corpus
import Kernels
import Models

package struct TeacherSettings: Codable, Equatable, Sendable {
    /// Target tokens of a batch, `</s>` included.
    package var batchTokens = 1500
    package var smoothing: Float = 0.1
    /// Parts that a batch is cut into: the most threads that can work on it. Part of the settings, since sums are taken
    /// part by part and so depend on it to the last bit, as they do not on the number of threads.
    package var slices = 2
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
    private let gradients: GradientParts
    private let lanes: [SliceLane]
    /// Thread-seconds by phase, from when it was switched on: of the slices, and of the update, at which all threads
    /// work.
    package var phases: [PhaseTimer.Phase: Double]? {
        timers.map { timers in
            Dictionary(
                uniqueKeysWithValues: PhaseTimer.Phase.allCases.map { phase in
                    (
                        phase,
                        timers.reduce(0) { $0 + $1.seconds[phase.rawValue] }
                            * (phase == .optimizer ? Double(pool.threads) : 1)
                    )
                })
        }
    }
    /// Of the slices, and of the update.
    private var timers: [PhaseTimer]?
    private let targetTokens: [Int]
    private var order = EpochOrder()
    /// BLEU of the present weights on the validation set, where it is wanted after this epoch.
    package var validationBLEU: (_ epoch: Int, FloatBlock) throws -> Double? = { _, _ in nil }

    private let lessons: TeacherLessons?
    private var trainsTransformer: Bool { settings.teaching?.trainable != .networks }

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
        let networks = model.replacements.specs.flatMap { model.slots(of: $0) }
        let trained = settings.teaching?.trainable == .networks ? networks.map(\.range) : nil
        gradients = GradientParts(settings.slices, count: weights.count, trained: trained)
        lanes = (0..<settings.slices).map { _ in SliceLane() }
        for lane in lanes { lane.batch.labels.teacher = lessons?.labels }
        targetTokens = (0..<train.count).map { train.target.length($0) + 1 }
    }

    package var validationSentences: Int { valid.count }

    package func switchOnPhaseTimer() { timers = (0...lanes.count).map { _ in PhaseTimer() } }

    package func begin(epoch: Int) -> Int {
        order = EpochOrder(tokens: targetTokens, batchTokens: settings.batchTokens, seed: settings.seed, epoch: epoch)
        return order.batches.count
    }

    package func step(batch: Int, step: Int, rate: Float, adam: Adam) -> TrainingSums {
        let tokens = deal(order.batches[batch].lazy.map { self.order.sentences[$0] }, of: train, with: lessons)
        let scale = 1 / Float(tokens)
        pool.run(lanes.count) { slice in
            let pass = Pass(
                weights: weights, gradients: gradients.blocks[slice], workspace: lanes[slice].workspace,
                randomness: Randomness(seed: settings.seed, step: step, slice: slice),
                trainsTransformer: trainsTransformer, timer: timers?[slice])
            lanes[slice].run {
                $0.sums = model.loss(
                    $0.batch, smoothing: settings.smoothing, gradientScale: scale, trace: $0.trace, pass)
            }
            timers?[slice].leave()
        }
        timers?.last?.enter(.optimizer)
        gradients.update(weights, adam, adam.constants(step: step, rate: rate), clip: settings.clip, pool: pool)
        timers?.last?.leave()
        let sums = lanes.reduce(LossSums()) { $0 + $1.sums }
        return TrainingSums(loss: sums.loss, units: Double(sums.tokens))
    }

    package func validate(epoch: Int) throws -> Validation {
        var total = LossSums(), start = 0
        while start < valid.count {
            var end = start, tokens = 0
            while end < valid.count && tokens < settings.batchTokens * 2 {
                tokens += valid.target.length(end) + 1
                end += 1
            }
            _ = deal(start..<end, of: valid)
            pool.run(lanes.count) { slice in
                let pass = Pass(weights: weights, workspace: lanes[slice].workspace)
                lanes[slice].run {
                    $0.sums = model.loss(
                        $0.batch, smoothing: settings.smoothing, gradientScale: 0, trace: $0.trace, pass)
                }
            }
            total = lanes.reduce(total) { $0 + $1.sums }
            start = end
        }
        var metrics = [MetricKey(.valid, .nll): total.meanLikelihood]
        if let bleu = try validationBLEU(epoch, weights) { metrics[MetricKey(.valid, .bleu)] = bleu }
        return Validation(loss: total.mean, metrics: metrics)
    }

    /// Gives each sentence to the slice with the least work so far; returns the target tokens.
    private func deal<Sentences: Sequence>(
        _ sentences: Sentences, of shard: TokenShard, with lessons: TeacherLessons? = nil
    ) -> Int
    where Sentences.Element == Int {
        for lane in lanes { lane.batch.removeAll() }
        var tokens = 0
        for sentence in sentences {
            let lane = lanes.min { $0.work < $1.work }!
            lane.batch.append(source: shard.source[sentence], target: shard.target[sentence])
            lessons?.append(sentence, of: shard, to: &lane.batch.labels)
            tokens += shard.target.length(sentence) + 1
        }
        return tokens
    }
}

/// What one slice of a batch needs, kept from step to step.
final class SliceLane {
    let workspace = Workspace()
    let trace = TransformerTrace()
    var batch = PairBatch()
    var sums = LossSums()

    /// A target token costs about twice a source token: two attentions and the output layer.
    var work: Int { batch.source.tokens + 2 * batch.target.tokens }

    func run(_ body: (SliceLane) -> Void) {
        workspace.reset()
        body(self)
    }
}
