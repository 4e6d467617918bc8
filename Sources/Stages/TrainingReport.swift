import Foundation
import Training

/// Puts what a `Trainer` tells into the registry and on standard error, for every stage that trains.
package final class TrainingReport {
    private let run: StageRun
    private let layer: Int?
    private let label: String?
    private var progress: ProgressDisplay?
    private var window = Window()
    private var total = Window()

    private struct Window {
        var sums = TrainingSums()
        var seconds = 0.0
        /// The learning rate of its last step.
        var rate: Float = 0

        mutating func add(_ step: TrainingObserver.Step) {
            sums += step.sums
            seconds += step.seconds
            rate = step.rate
        }

        var tokensPerSecond: Double { seconds > 0 ? sums.units / seconds : 0 }
    }

    /// Steps between two recorded figures.
    private static let interval = 20

    /// - Parameters:
    ///   - run: whose registry and standard error are told
    ///   - layer: of the network, where a run trains several
    ///   - label: put before every line; the stage if nil
    package init(_ run: StageRun, layer: Int? = nil, label: String? = nil) {
        self.run = run
        self.layer = layer
        self.label = label
    }

    /// Trains to the end, or throws `Interruption` where this process or another of its group was asked to stop.
    package func train(_ trainer: Trainer) throws {
        do {
            guard try trainer.run(observer) == .finished else {
                try run.stopIfRequested()
                throw Interruption(signal: SIGTERM)  // of another process
            }
        } catch var error as DivergedError {
            error.training = label
            throw error
        }
        finish(steps: trainer.state.step)
    }

    private var observer: TrainingObserver {
        var observer = TrainingObserver()
        observer.didStep = { [self] in step($0) }
        observer.didEndEpoch = { [self] in epoch($0) }
        observer.note = { [run] in run.log.info("\($0)") }
        observer.didResume = { [run] in
            run.resumed()
            run.log.info("going on from step \($0)")
        }
        observer.stopRequested = { [run] in run.isToStop() }
        return observer
    }

    private func metric(_ key: MetricKey, step: Int, _ value: some BinaryFloatingPoint) {
        var key = key
        key.layer = layer
        run.metric(key, step: step, value)
    }

    private func step(_ step: TrainingObserver.Step) {
        window.add(step)
        total.add(step)
        let progress = progress ?? run.progress(label, total: step.steps, unit: "steps", start: step.step - 1)
        self.progress = progress
        progress.update(
            step.step,
            note: "epoch \(step.epoch + 1), loss \(Format.loss(window.sums.mean)), "
                + "\(Format.rate(window.tokensPerSecond)) tokens/s"
        )
        if step.step % Self.interval == 0 { record(step.step) }
    }

    /// What has come since the last record.
    private func record(_ step: Int) {
        metric(.init(.train, .loss), step: step, window.sums.mean)
        metric(.init(.train, .rate), step: step, window.rate)
        metric(.init(.train, .tokensPerSecond), step: step, window.tokensPerSecond)
        window = Window()
    }

    private func epoch(_ epoch: TrainingObserver.Epoch) {
        if let validation = epoch.validation { metric(.init(.valid, .loss), step: epoch.step, validation.loss) }
        let metrics = epoch.validation?.metrics ?? [:]
        for (key, value) in metrics { metric(key, step: epoch.step, value) }
        // figures by position are for the registry
        let further = metrics.filter { $0.key.position == nil }.map { ("\($0)", $1) }.sorted { $0.0 < $1.0 }
            .map { "\($0.0) \(Format.loss($0.1))" }
        let valid = epoch.validation.map { ["valid \(Format.loss($0.loss))"] } ?? []
        let words = ["train \(Format.loss(epoch.train.mean))"] + valid + further + (epoch.isBest ? ["best so far"] : [])
        run.log.info("\(label.map { $0 + " " } ?? "")epoch \(epoch.epoch + 1): \(words.joined(separator: ", "))")
    }

    private func finish(steps: Int) {
        if window.seconds > 0 { record(steps) }
        progress?.finish(steps, note: "\(Format.rate(total.tokensPerSecond)) tokens/s")
        // whoever goes on from the last step has nothing to measure
        if total.seconds > 0 { metric(.init(nil, .tokensPerSecond), step: steps, total.tokensPerSecond) }
    }
}
