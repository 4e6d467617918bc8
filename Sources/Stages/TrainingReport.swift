import Training

/// Puts what a `Trainer` tells into the registry and on standard error, for every stage that trains.
public final class TrainingReport {
    private let run: StageRun
    private let unit: String
    private var progress: ProgressDisplay?
    private var window = Window()
    private var total = Window()

    private struct Window {
        var sums = TrainingSums()
        var seconds = 0.0

        mutating func add(_ step: TrainingObserver.Step) {
            sums += step.sums
            seconds += step.seconds
        }

        var rate: Double { seconds > 0 ? sums.units / seconds : 0 }
    }

    /// Steps between two recorded figures.
    private static let interval = 20

    /// - Parameter unit: what the rate counts, such as `tokens`
    public init(_ run: StageRun, unit: String) {
        self.run = run
        self.unit = unit
    }

    public var observer: TrainingObserver {
        var observer = TrainingObserver()
        observer.didStep = { [self] in step($0) }
        observer.didEndEpoch = { [self] in epoch($0) }
        observer.note = { [run] in run.log.info("\($0)") }
        observer.didResume = { [run] in
            run.resumed()
            run.log.info("going on from step \($0)")
        }
        observer.stopRequested = { [run] in run.stopRequested }
        return observer
    }

    private func step(_ step: TrainingObserver.Step) {
        window.add(step)
        total.add(step)
        let progress = progress ?? run.progress(total: step.steps, unit: "steps", start: step.step - 1)
        self.progress = progress
        progress.update(step.step, note: "epoch \(step.epoch + 1), loss \(Format.loss(window.sums.mean)), \(Format.rate(window.rate)) \(unit)/s")
        guard step.step % Self.interval == 0 else { return }
        run.metric("train.loss", step: step.step, window.sums.mean)
        run.metric("train.rate", step: step.step, step.rate)
        run.metric("train.\(unit)_per_second", step: step.step, window.rate)
        window = Window()
    }

    private func epoch(_ epoch: TrainingObserver.Epoch) {
        run.metric("valid.loss", step: epoch.step, epoch.validation.loss)
        for (key, value) in epoch.validation.metrics { run.metric(key, step: epoch.step, value) }
        let further = epoch.validation.metrics.sorted { $0.key < $1.key }.map { "\($0.key) \(Format.loss($0.value))" }
        let words = ["train \(Format.loss(epoch.train.mean))", "valid \(Format.loss(epoch.validation.loss))"] + further + (epoch.isBest ? ["best so far"] : [])
        run.log.info("epoch \(epoch.epoch + 1): \(words.joined(separator: ", "))")
    }

    /// To be called when training has ended by itself.
    public func finish(steps: Int) {
        progress?.finish(steps, note: "\(Format.rate(total.rate)) \(unit)/s")
        run.metric("\(unit)_per_second", step: steps, total.rate)
    }
}
