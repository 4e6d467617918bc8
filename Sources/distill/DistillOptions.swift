import ArgumentParser
import Training

/// How it is trained; what is not given is the preset's.
struct DistillOptions: ParsableArguments {
    @Option(help: "Times the training set is seen, at most.") var epochs: Int?
    @Option(help: "Stop after this many steps, for trials.") var maxSteps: Int?
    @Option(help: "Sentences of a batch.") var batch: Int?
    @Option(help: "Shape of the learning rate over the steps: constant, noam, cosine.") var schedule: Schedule.Shape?
    @Option(help: "Highest learning rate.") var peak: Double?
    @Option(help: "Steps of linear warm-up.") var warmup: Int?
    @Option(help: "Dropout of the hidden layer.") var dropout: Float?
    @Option(help: "Decoupled weight decay.") var weightDecay: Float?
    @Option(help: "Epochs without a better validation error before training stops; 0: never.") var patience: Int?
    @Option(help: "Seconds between checkpoints.") var checkpointSeconds = 60.0
    @Option(help: "Of weights, order and dropout.") var seed: UInt64?

    func validate() throws {
        let good: [(String, Bool)] = [
            ("--epochs", (epochs ?? 1) >= 1), ("--max-steps", (maxSteps ?? 1) >= 1), ("--batch", (batch ?? 1) >= 1),
            ("--peak", (peak ?? 1) > 0), ("--warmup", (warmup ?? 0) >= 0), ("--dropout", (0..<1).contains(dropout ?? 0)),
            ("--patience", (patience ?? 0) >= 0), ("--weight-decay", (weightDecay ?? 0) >= 0),
        ]
        for (name, isGood) in good where !isGood { throw ValidationError("\(name) is out of range") }
    }

    func apply(to values: inout DistillationPreset.Values) {
        values.training.epochs = epochs ?? values.training.epochs
        values.training.maxSteps = maxSteps ?? values.training.maxSteps
        values.training.schedule.shape = schedule ?? values.training.schedule.shape
        values.training.schedule.peak = peak ?? values.training.schedule.peak
        values.training.schedule.warmup = warmup ?? values.training.schedule.warmup
        values.training.adam.decay = weightDecay ?? values.training.adam.decay
        values.training.patience = patience ?? values.training.patience
        values.distillation.batch = batch ?? values.distillation.batch
        values.distillation.dropout = dropout ?? values.distillation.dropout
        values.distillation.seed = seed ?? values.distillation.seed
    }
}
