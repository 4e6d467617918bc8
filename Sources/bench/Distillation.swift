import Corpus
import Kernels
import Models
import Tensors
import Training

extension Session {
    /// Layer 0 of each spec, with its family's settings, on activations of an untrained teacher.
    func distillation() throws {
        let specs = try settings.specs(.distillation)
        try withActivations(of: specs) { captured, folder, hashes in
            for spec in specs {
                for threads in threadCounts {
                    let pool = WorkerPool(threads: threads)
                    let work = try DistillationWork(spec, captured, folder: folder, hashes, pool: pool)
                    let rate = stopwatch.rate(work.step), flops = rate * work.flopsPerSentence
                    add(
                        Measurement(
                            part: .distillation, name: spec.withoutLayer, threads: threads, value: rate,
                            unit: "sentences/s",
                            fraction: flops / peak(threads).flops, bound: .float32,
                            note: "\(Int(flops / 1e9)) GFLOP/s in products"))
                }
            }
        }
    }

    /// Captures what some specs of layer 0 read and calls `body` with its folder, which goes afterwards.
    func withActivations(
        of specs: [Spec], _ body: (CaptureConfiguration, _ folder: String, BlockHashes) throws -> Void
    ) throws {
        let scratch = try OutputFolder(outputFolder + "/activations")
        defer { try? FileSystem.removeFolder(scratch.folder) }
        let captured = try capture(specs, to: scratch),
            hashes = BlockHashes(try TensorFile(path: scratch.path(BlockHashes.fileName)))
        try body(captured, scratch.unfinished, hashes)
    }

    private func capture(_ specs: [Spec], to folder: OutputFolder) throws -> CaptureConfiguration {
        let model = Transformer(configuration), weights = model.layout.initialized(seed: 1)
        let captured = try CaptureConfiguration(
            teacher: configuration, spans: specs.map(\.family.span), attentions: specs.map(\.attention.captured),
            layers: [0], elementType: .f16)
        let writer = ActivationCapture(model, weights: weights, captured, pool: WorkerPool(threads: threadCounts.last!))
        for (split, shard) in [
            (Split.train, train.prefix(16 * DistillationSettings().batch)),
            (.valid, train.prefix(DistillationSettings().batch)),
        ] {
            try writer.write(shard, split, to: folder, progress: { _ in }, stop: {})
        }
        try writer.writeBlockHashes(to: folder)
        return captured
    }
}

/// Steps of a distillation, one after another.
final class DistillationWork {
    /// In the products of a step, forward and backward.
    let flopsPerSentence: Double
    private let trainee: DistillationTrainee
    private let adam: Adam
    private let batches: Int
    private let sentences: Int
    private var steps = 0

    init(
        _ spec: Spec, _ configuration: CaptureConfiguration, folder: String, _ hashes: BlockHashes, pool: WorkerPool
    ) throws {
        let train = try CapturedActivations(folder: folder, hashes, configuration, .train, spec),
            valid = try CapturedActivations(folder: folder, hashes, configuration, .valid, spec)
        trainee = try DistillationTrainee(
            spec, configuration, train: train, valid: valid,
            settings: DistillationPreset.standard.values(spec).distillation, pool: pool)
        adam = Adam(Adam.Settings(), count: trainee.weights.count)
        batches = trainee.begin(epoch: 0)
        // what a step throws it throws here
        _ = try train.batch(ArraySlice(0..<train.sentences), pool)
        sentences = train.sentences
        flopsPerSentence =
            trainee.network.stepFlops(tokens: train.tokens, memoryTokens: train.memoryOffsets.last ?? 0)
            / Double(sentences)
    }

    /// The first batch once more, pages given back as often as they are read.
    func repeatStep() {
        steps += 1
        _ = try? trainee.step(batch: 0, step: steps, rate: 1e-4, adam: adam)
    }

    /// One step; returns its sentences.
    func step() -> Double {
        steps += 1
        _ = try? trainee.step(batch: steps % batches, step: steps, rate: 1e-4, adam: adam)
        return Double(sentences) / Double(batches)
    }
}
