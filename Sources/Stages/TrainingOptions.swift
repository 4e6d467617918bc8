import ArgumentParser
import Training

extension Schedule.Shape: ExpressibleByArgument {}

/// The options of every stage that trains; what is not given is the preset's.
public struct TrainingOptions: ParsableArguments {
    @Option(help: "Times the training set is seen, at most.") public var epochs: Int?
    @Option(help: "Stop after this many steps, for trials.") public var maxSteps: Int?
    @Option(help: "Shape of the learning rate over the steps: constant, noam, cosine.") public var schedule: Schedule.Shape?
    @Option(help: "Highest learning rate.") public var peak: Double?
    @Option(help: "Steps of linear warm-up.") public var warmup: Int?
    @Option(help: "Decoupled weight decay.") public var weightDecay: Float?
    @Option(help: "Epochs without a better validation loss before training stops; 0: never.") public var patience: Int?
    @Option(help: "Seconds between checkpoints.") public var checkpointSeconds = 60.0
    @Option(help: "Of weights, order and dropout.") public var seed: UInt64?

    public init() {}

    public func validate() throws {
        try requireInRange([
            "--epochs": (epochs ?? 1) >= 1, "--max-steps": (maxSteps ?? 1) >= 1, "--peak": (peak ?? 1) > 0, "--warmup": (warmup ?? 0) >= 0,
            "--weight-decay": (weightDecay ?? 0) >= 0, "--patience": (patience ?? 0) >= 0, "--checkpoint-seconds": checkpointSeconds >= 0,
        ])
    }

    /// All but the seed, which is a setting of what is trained, and the seconds between checkpoints, which change no result.
    public func apply(to settings: inout TrainingSettings) {
        settings.epochs = epochs ?? settings.epochs
        settings.maxSteps = maxSteps ?? settings.maxSteps
        settings.schedule.shape = schedule ?? settings.schedule.shape
        settings.schedule.peak = peak ?? settings.schedule.peak
        settings.schedule.warmup = warmup ?? settings.schedule.warmup
        settings.adam.decay = weightDecay ?? settings.adam.decay
        settings.patience = patience ?? settings.patience
    }
}

extension ParsableArguments {
    /// Refuses the first option that is not good. Comparisons are to be written so that they fail for a value that is no number.
    public func requireInRange(_ options: KeyValuePairs<String, Bool>) throws {
        for (name, isGood) in options where !isGood { throw ValidationError("\(name) is out of range") }
    }
}
