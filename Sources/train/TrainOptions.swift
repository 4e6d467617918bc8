import ArgumentParser
import Models
import Training

extension TeacherPreset: ExpressibleByArgument {}
extension TransformerConfiguration.Tying: ExpressibleByArgument {}
extension Schedule.Shape: ExpressibleByArgument {}

/// The model's shape and dropout; what is not given is the preset's.
struct ModelOptions: ParsableArguments {
    @Option(help: "Model width d.") var width: Int?
    @Option(help: "Attention heads.") var heads: Int?
    @Option(help: "Hidden width of the feed-forward sublayers.") var hidden: Int?
    @Option(help: "Encoder layers.") var encoderLayers: Int?
    @Option(help: "Decoder layers.") var decoderLayers: Int?
    @Option(help: "Which embeddings are one matrix: none, output (target embedding and output layer), all.") var tying: TransformerConfiguration.Tying?
    @Option(help: "Dropout everywhere; the four below override it.") var dropout: Float?
    @Option(help: "Dropout on embeddings.") var embeddingDropout: Float?
    @Option(help: "Dropout on attention weights.") var attentionDropout: Float?
    @Option(help: "Dropout inside the feed-forward sublayers.") var hiddenDropout: Float?
    @Option(help: "Dropout on what a sublayer adds.") var residualDropout: Float?

    func apply(to model: inout TransformerConfiguration) {
        model.width = width ?? model.width
        model.heads = heads ?? model.heads
        model.hidden = hidden ?? model.hidden
        model.encoderLayers = encoderLayers ?? model.encoderLayers
        model.decoderLayers = decoderLayers ?? model.decoderLayers
        model.tying = tying ?? model.tying
        model.embeddingDropout = embeddingDropout ?? dropout ?? model.embeddingDropout
        model.attentionDropout = attentionDropout ?? dropout ?? model.attentionDropout
        model.hiddenDropout = hiddenDropout ?? dropout ?? model.hiddenDropout
        model.residualDropout = residualDropout ?? dropout ?? model.residualDropout
    }
}

/// How it is trained; what is not given is the preset's.
struct TrainingOptions: ParsableArguments {
    @Option(help: "Times the training set is seen.") var epochs: Int?
    @Option(help: "Stop after this many steps, for trials.") var maxSteps: Int?
    @Option(help: "Target tokens of a batch.") var batchTokens: Int?
    @Option(help: "Label smoothing.") var smoothing: Float?
    @Option(help: "Shape of the learning rate over the steps: constant, noam, cosine.") var schedule: Schedule.Shape?
    @Option(help: "Highest learning rate.") var peak: Double?
    @Option(help: "Steps of linear warm-up.") var warmup: Int?
    @Option(help: "Adam's beta1.") var beta1: Float?
    @Option(help: "Adam's beta2.") var beta2: Float?
    @Option(help: "Adam's epsilon.") var epsilon: Float?
    @Option(help: "Decoupled weight decay.") var weightDecay: Float?
    @Option(help: "Epochs without a better validation loss before training stops; 0: never.") var patience: Int?
    @Option(help: "How many of the best epochs are averaged into the result.") var average: Int?
    @Option(help: "Measure BLEU of greedy translations of the validation set every so many epochs; 0: never.") var bleuEvery = 0
    @Option(help: "Seconds between checkpoints.") var checkpointSeconds = 60.0
    @Option(help: "Parts that a batch is cut into: the most threads that can work on it. Changes the last bits of the result.") var slices: Int?
    @Option(help: "Of weights, order and dropout.") var seed: UInt64?

    func validate() throws {
        let positive: [(String, Bool)] = [
            ("--epochs", (epochs ?? 1) >= 1), ("--max-steps", (maxSteps ?? 1) >= 1), ("--batch-tokens", (batchTokens ?? 1) >= 1),
            ("--slices", (slices ?? 1) >= 1), ("--average", (average ?? 1) >= 1), ("--peak", (peak ?? 1) > 0), ("--warmup", (warmup ?? 0) >= 0),
            ("--smoothing", (0..<1).contains(smoothing ?? 0)), ("--bleu-every", bleuEvery >= 0),
        ]
        for (name, isGood) in positive where !isGood { throw ValidationError("\(name) is out of range") }
    }

    func apply(to values: inout TeacherPreset.Values, preset: TeacherPreset) {
        values.training.schedule = preset.schedule(width: values.model.width, shape: schedule, warmup: warmup)
        values.training.schedule.peak = peak ?? values.training.schedule.peak
        values.training.epochs = epochs ?? values.training.epochs
        values.training.maxSteps = maxSteps ?? values.training.maxSteps
        values.training.patience = patience ?? values.training.patience
        values.training.averaged = average ?? values.training.averaged
        values.training.adam.beta1 = beta1 ?? values.training.adam.beta1
        values.training.adam.beta2 = beta2 ?? values.training.adam.beta2
        values.training.adam.epsilon = epsilon ?? values.training.adam.epsilon
        values.training.adam.decay = weightDecay ?? values.training.adam.decay
        values.teacher.batchTokens = batchTokens ?? values.teacher.batchTokens
        values.teacher.smoothing = smoothing ?? values.teacher.smoothing
        values.teacher.slices = slices ?? values.teacher.slices
        values.teacher.seed = seed ?? values.teacher.seed
    }
}
