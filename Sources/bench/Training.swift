import Corpus
import Kernels
import Models
import Training

extension Session {
    /// The teacher with the settings of preset `paper`.
    func training() {
        for threads in threadCounts {
            let settings = TransformerTrainee.Settings()
            let work = TrainingWork(configuration, train, settings, pool: WorkerPool(threads: threads))
            let rate = stopwatch.rate(work.step)
            let flops = rate * 3 * configuration.forwardFlops(train) / Double(train.targetTokens)
            add(
                Measurement(
                    part: .training, name: "teacher", threads: threads, value: rate, unit: "target tokens/s",
                    fraction: flops / peak(threads).flops, bound: .float32,
                    note: "\(Int(flops / 1e9)) GFLOP/s in products, batches of \(settings.batchTokens)"))
            guard threads == threadCounts.last else { continue }
            work.trainee.switchOnPhaseTimer()
            _ = stopwatch.rate(work.step)
            let phases = work.trainee.phases ?? [:], total = phases.values.reduce(0, +)
            for phase in PhaseTimer.Phase.allCases {
                add(.training, phase.name, threads: threads, 100 * (phases[phase] ?? 0) / total, "% of a step")
            }
        }
    }
}

/// Steps of a teacher, one after another, epoch after epoch.
final class TrainingWork {
    let trainee: TransformerTrainee
    private let adam: Adam
    private var batches = 0
    private var batch = 0
    private var epoch = 0
    private var steps = 0

    init(
        _ configuration: TransformerConfiguration, _ shard: TokenShard, _ settings: TransformerTrainee.Settings,
        pool: WorkerPool
    ) {
        trainee = TransformerTrainee(
            Transformer(configuration), train: shard, valid: shard, settings: settings,
            pool: pool)
        adam = Adam(Adam.Settings(), count: trainee.weights.count)
        batches = trainee.begin(epoch: 0)
    }

    /// The first batch once more.
    func repeatStep() {
        steps += 1
        _ = trainee.step(batch: 0, step: steps, rate: 1e-4, adam: adam)
    }

    /// One step; returns its target tokens.
    func step() -> Double {
        if batch == batches {
            (epoch, batch) = (epoch + 1, 0)
            batches = trainee.begin(epoch: epoch)
        }
        steps += 1
        defer { batch += 1 }
        return trainee.step(batch: batch, step: steps, rate: 1e-4, adam: adam).units
    }
}

extension TransformerConfiguration {
    /// Multiplications and additions of all products of a forward pass over a shard's sentences.
    func forwardFlops(_ shard: TokenShard) -> Double {
        let d = Double(width), feedForward = 2 * d * Double(hidden)
        let encoder = Double(encoderLayers), decoder = Double(decoderLayers)
        let perSource = encoder * (4 * d * d + feedForward) + decoder * 2 * d * d
        let perTarget = decoder * (6 * d * d + feedForward) + d * Double(targetVocabulary)
        var sum = 0.0
        for sentence in 0..<shard.count {
            let n = Double(shard.source.length(sentence)), m = Double(shard.target.length(sentence) + 1)
            sum += n * perSource + m * perTarget + 2 * d * (encoder * n * n + decoder * (m * m + m * n))
        }
        return 2 * sum
    }
}
