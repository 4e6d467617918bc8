import ArgumentParser
import Tensors
import Training

extension Schedule.Shape: ExpressibleByArgument {}

/// The options of every stage that trains; what is not given is the preset's.
package struct TrainingOptions: ParsableArguments {
    @Option(help: "Times the training set is seen, at most.") package var epochs: Int?
    @Option(help: "Stop after this many steps, for trials.") package var maxSteps: Int?
    @Option(help: "Shape of the learning rate over the steps: constant, noam, cosine.") package var schedule:
        Schedule.Shape?
    @Option(help: "Highest learning rate.") package var peak: Double?
    @Option(help: "Steps of linear warm-up.") package var warmup: Int?
    @Option(help: "Decoupled weight decay.") package var weightDecay: Float?
    @Option(help: "Epochs without a better validation loss before training stops; 0: never.") package var patience: Int?
    @Option(help: "Seconds between checkpoints, at least; every epoch ends with one.") package var checkpointSeconds =
        60.0
    @Option(help: "Of weights, order and dropout.") package var seed: UInt64?

    @Flag(help: "Start from nothing where the output folder holds a checkpoint of other settings.") package
        var discardCheckpoint = false

    package init() {}

    /// A training goes on from its checkpoint.
    package var resumption: Resumption { .fromCheckpoint(discardsOthers: discardCheckpoint) }

    /// Nothing is measured where there are no validation sentences.
    package func requireValidation(_ sentences: Int, in folder: String) throws {
        guard sentences == 0, patience ?? 0 > 0 else { return }
        throw DataError(
            path: folder, expected: "validation sentences for --patience", found: "none",
            hint: "leave --patience out, or hold some out")
    }

    /// All but the seed, which is a setting of what is trained, and the seconds between checkpoints, which change no
    /// result.
    package func apply(to settings: inout TrainingSettings) {
        settings.epochs = epochs ?? settings.epochs
        settings.maxSteps = maxSteps ?? settings.maxSteps
        settings.schedule.shape = schedule ?? settings.schedule.shape
        settings.schedule.peak = peak ?? settings.schedule.peak
        settings.schedule.warmup = warmup ?? settings.schedule.warmup
        settings.adam.decay = weightDecay ?? settings.adam.decay
        settings.patience = patience ?? settings.patience
    }
}
