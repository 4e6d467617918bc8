import Foundation
import Kernels
import Models
import Processes
import Tensors

package struct TrainingSettings: Codable, Equatable, Sendable {
    package var epochs: Int
    package var schedule: Schedule
    package var adam = Adam.Settings()
    /// Epochs without a better validation loss after which training stops; 0 never stops.
    package var patience = 0
    /// How many of the best epochs' weights are averaged into the result.
    package var averaged = 1
    /// Stop after this many steps, for trials; 0 for no limit.
    package var maxSteps = 0

    package init(epochs: Int, schedule: Schedule) {
        self.epochs = epochs
        self.schedule = schedule
    }
}

/// What a trainer tells and asks whoever started it.
package struct TrainingObserver {
    package struct Step {
        package let step: Int
        package let steps: Int
        package let epoch: Int
        package let rate: Float
        package let sums: TrainingSums
        package let seconds: Double
    }

    package struct Epoch {
        package let epoch: Int
        package let step: Int
        package let train: TrainingSums
        /// nil without validation sentences.
        package let validation: Validation?
        package let isBest: Bool
    }

    package var didStep: (Step) -> Void = { _ in }
    package var didEndEpoch: (Epoch) -> Void = { _ in }
    /// Training goes on from a checkpoint of this step.
    package var didResume: (Int) -> Void = { _ in }
    /// A line for people.
    package var note: (String) -> Void = { _ in }
    package var stopRequested: () -> Bool = { false }

    package init() {}
}

/// Steps, epochs, validation, the best weights, early stopping and checkpoints, for any trainee.
///
/// Everything that happens is a function of the settings, the seed and the step, so a run that was killed and started
/// again from its checkpoint ends with the same bits as one that was not.
package final class Trainer {
    package enum Outcome: Equatable, Sendable {
        case finished
        /// Stopped on request; the checkpoint is written and the same command goes on.
        case interrupted
    }

    package private(set) var state = TrainerState()
    private let trainee: Trainee
    private let group: ProcessGroup
    private let settings: TrainingSettings
    private let adam: Adam
    private let checkpoint: Checkpoint
    private let snapshots: Snapshots
    /// Seconds between checkpoints, at least; more where writing one takes long.
    private let checkpointSeconds: Double
    private var lastWritten = Clock.now
    /// Seconds that the last checkpoint took.
    private var cost = 0.0

    /// - Parameters:
    ///   - folder: where checkpoint and snapshots are kept while running
    ///   - key: names settings and data; a checkpoint of another key is refused
    ///   - group: processes that train together; its leader alone reads and writes, and validates
    package init(
        _ trainee: Trainee, settings: TrainingSettings, folder: String, key: String, checkpointSeconds: Double = 60,
        group: ProcessGroup = .alone
    ) {
        self.group = group
        self.trainee = trainee
        self.settings = settings
        self.checkpointSeconds = checkpointSeconds
        adam = Adam(settings.adam, count: trainee.weights.count)
        checkpoint = Checkpoint(folder: folder, key: key, layout: trainee.layout)
        snapshots = Snapshots(folder: folder, layout: trainee.layout, kept: max(1, settings.averaged))
    }

    /// Trains to the end, or until asked to stop. Afterwards the trainee's weights are the result: the average of the
    /// best epochs, or the best alone where its validation loss is lower.
    package func run(_ observer: TrainingObserver = TrainingObserver()) throws -> Outcome {
        if let found = try resume() {
            state = found
            observer.didResume(state.step)
        }
        if trainee.validationSentences == 0 {
            observer.note("no validation sentences: the last weights are the result")
        }
        lastWritten = Clock.now
        while !isDone {
            let batches = trainee.begin(epoch: state.epoch), total = totalSteps(batches)
            if state.step == 0, settings.maxSteps == 0, total < settings.schedule.warmup {
                let warmup = settings.schedule.warmup
                observer.note("\(total) steps are over before a warm-up of \(warmup): the rate never reaches its peak")
            }
            while state.batch < batches, !reachedLimit {
                let stepStarted = Clock.now
                let rate = settings.schedule.rate(step: state.step + 1, of: total)
                let sums = try trainee.step(batch: state.batch, step: state.step + 1, rate: rate, adam: adam)
                guard sums.loss.isFinite else {
                    group.sharesFailure = true
                    throw DivergedError("the loss", step: state.step + 1, rate: rate)
                }
                state.step += 1
                state.batch += 1
                state.sums += sums
                observer.didStep(
                    .init(
                        step: state.step, steps: total, epoch: state.epoch, rate: rate, sums: sums,
                        seconds: Clock.now - stepStarted))
                let stop = group.agreeToStop(observer.stopRequested())
                let isDue = Clock.now - lastWritten > max(checkpointSeconds, 50 * cost)
                if stop || group.any(group.leads && isDue) { try writeCheckpoint() }
                if stop { return .interrupted }
            }
            try endEpoch(observer)
        }
        try finish(observer)
        return .finished
    }

    private var reachedLimit: Bool { settings.maxSteps > 0 && state.step >= settings.maxSteps }

    /// At the end of an epoch, never within: one that the limit cuts short is ended like others, also by whoever goes
    /// on from a checkpoint of its last step.
    private var isDone: Bool {
        guard state.batch == 0 else { return false }
        return state.epoch >= settings.epochs || reachedLimit
            || (settings.patience > 0 && state.epochsSinceBest >= settings.patience)
    }

    /// Steps of the whole training, for schedules that need its end: epochs are taken to be as long as the first.
    private func totalSteps(_ batches: Int) -> Int {
        if state.stepsPerEpoch == 0 { state.stepsPerEpoch = batches }
        let all = state.stepsPerEpoch * settings.epochs
        return settings.maxSteps > 0 ? min(all, settings.maxSteps) : all
    }

    private func endEpoch(_ observer: TrainingObserver) throws {
        let hasLoss = trainee.validationSentences > 0
        let validation = hasLoss && group.leads ? try trainee.validate(epoch: state.epoch) : nil
        let loss = hasLoss ? group.broadcast(validation?.loss ?? 0) : nil
        if let loss, !loss.isFinite {
            group.sharesFailure = true
            throw diverged("the validation loss")
        }
        var pushedOut: [Snapshot] = []
        let isBest = loss.map { $0 < state.bestLoss ?? .infinity } ?? false
        if let loss {
            state.epochsSinceBest = isBest ? 0 : state.epochsSinceBest + 1
            if isBest { state.bestLoss = loss }
            if group.leads {
                pushedOut = try snapshots.offer(
                    epoch: state.epoch, loss: loss, trainee.weights, &state.snapshots)
            }
        }
        observer.didEndEpoch(
            .init(epoch: state.epoch, step: state.step, train: state.sums, validation: validation, isBest: isBest))
        state.epoch += 1
        state.batch = 0
        state.sums = TrainingSums()
        try writeCheckpoint()
        try snapshots.drop(pushedOut)
    }

    /// What the leader finds goes to all. The best epochs are looked at now, not when all others are over.
    private func resume() throws -> TrainerState? {
        let found = group.leads ? try checkpoint.read(weights: trainee.weights, adam: adam) : nil
        for snapshot in found?.snapshots ?? [] { try snapshots.check(snapshot) }
        guard group.count > 1 else { return found }
        let text = group.broadcast(try found.map { try JSONEncoder().encode($0) } ?? Data())
        guard !text.isEmpty else { return nil }
        for block in [trainee.weights, adam.moment1, adam.moment2] { group.broadcast(block) }
        trainee.keepOwnMoments(adam)
        return try JSONDecoder().decode(TrainerState.self, from: text)
    }

    private func writeCheckpoint() throws {
        let began = Clock.now
        try trainee.withAllMoments(adam) {
            if group.leads { try checkpoint.write(state, weights: trainee.weights, adam: adam) }
        }
        lastWritten = Clock.now
        cost = lastWritten - began
    }

    private func diverged(_ what: String) -> DivergedError {
        DivergedError(
            what, step: state.step,
            rate: settings.schedule.rate(step: state.step, of: max(1, totalSteps(state.stepsPerEpoch))))
    }

    private func finish(_ observer: TrainingObserver) throws {
        if group.leads { try choose(observer) }
        group.broadcast(trainee.weights)
    }

    /// The result's weights.
    private func choose(_ observer: TrainingObserver) throws {
        guard let best = state.snapshots.min(by: { $0.loss < $1.loss }) else {
            guard trainee.weights.buffer.allSatisfy(\.isFinite) else { throw diverged("a weight") }
            return
        }
        if state.snapshots.count > 1 {
            try snapshots.average(state.snapshots, into: trainee.weights)
            let averaged = try trainee.validate(epoch: nil)
            observer.note(
                String(
                    format: "average of the best %d epochs: valid loss %.4f, best alone %.4f", state.snapshots.count,
                    averaged.loss, best.loss))
            if averaged.loss <= best.loss {
                state.resultLoss = averaged.loss
                return
            }
        }
        try snapshots.read(best, into: trainee.weights)
        state.resultLoss = best.loss
    }
}

/// The loss became infinite or not a number.
package struct DivergedError: Error, CustomStringConvertible {
    /// What is not finite.
    package let what: String
    package let step: Int
    package let rate: Float
    /// Which of several trainings it was; nil where there is but one.
    package var training: String?

    init(_ what: String, step: Int, rate: Float) {
        self.what = what
        self.step = step
        self.rate = rate
    }

    package var description: String {
        "\(training.map { "\($0): " } ?? "")\(what) is not a number at step \(step), learning rate \(rate)"
    }
}
