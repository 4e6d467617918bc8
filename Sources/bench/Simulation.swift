import Foundation
import Kernels
import Training

/// What a step would take on more cores than there are: tasks that were measured one by one on one thread are dealt as
/// a pool deals them, each to the core that is free first. That memory is shared by all cores is not in it.
struct SimulatedStep {
    /// Seconds of the tasks, section by section.
    let sections: [[Double]]
    /// Seconds outside all tasks.
    let serial: Double

    /// The fastest of several times for each task, and for what is outside them.
    init(_ runs: [(record: TaskRecord, seconds: Double)]) {
        let all = runs.map(\.record.sections)
        sections = all[0].indices.map { section in
            all[0][section].indices.map { task in all.map { $0[section][task] }.min()! }
        }
        serial = runs.map { run in run.seconds - run.record.sections.joined().reduce(0, +) }.min()!
    }

    /// - Parameter section: seconds that it takes to begin and end a section
    func seconds(cores: Int, section overhead: Double) -> Double {
        sections.reduce(serial) { $0 + overhead + Self.makespan($1, cores: cores) }
    }

    static func makespan(_ tasks: [Double], cores: Int) -> Double {
        var free = [Double](repeating: 0, count: cores)
        for task in tasks {
            let first = free.indices.min { free[$0] < free[$1] }!
            free[first] += task
        }
        return free.max()!
    }
}

extension Session {
    /// The speed of a step of training on 2 to 64 cores, as many times that on one: simulated, and beside it measured
    /// for the cores there are.
    func simulation() {
        let threads = threadCounts.last!, overhead = emptySection(threads: threads)
        add(.scaling, "empty section", threads: threads, overhead * 1e6, "microseconds")
        for batchTokens in [1, 4].map({ $0 * TeacherSettings().batchTokens }) {
            var settings = TeacherSettings()
            settings.batchTokens = batchTokens
            let one = step(settings, cores: 1).seconds(cores: 1, section: 0)
            for cores in [2, 4, 8, 16, 32, 64] {
                let step = step(settings, cores: cores), seconds = step.seconds(cores: cores, section: overhead)
                add(
                    .scaling, "simulated, \(cores) cores, batches of \(batchTokens)", threads: 1, one / seconds,
                    "times one core",
                    note: String(
                        format: "%.0f%% of linear, %.2f ms of %.1f outside all tasks",
                        100 * one / seconds / Double(cores), 1e3 * step.serial, 1e3 * seconds))
            }
            guard threads > 1 else { continue }
            let (alone, together) = measured(settings, threads)
            add(
                .scaling, "measured, batches of \(batchTokens)", threads: threads, alone / together, "times one core",
                note: String(format: "%.0f%% of linear", 100 * alone / together / Double(threads)))
        }
    }

    private func step(_ settings: TeacherSettings, cores: Int) -> SimulatedStep {
        let work = TrainingWork(configuration, train, settings, threads: 1, cutsFor: cores)
        _ = work.repeatedStep()
        return SimulatedStep(
            (0..<5).map { _ in
                stopwatch.stopIfRequested()
                return work.recordedStep()
            })
    }

    /// Seconds of a step on one thread and on all, in turn, the fastest of each.
    private func measured(_ settings: TeacherSettings, _ threads: Int) -> (alone: Double, together: Double) {
        let works = [1, threads].map { TrainingWork(configuration, train, settings, threads: $0) }
        var best = [Double.infinity, .infinity]
        for round in 0..<6 {
            for (index, work) in works.enumerated() {
                stopwatch.stopIfRequested()
                let seconds = work.repeatedStep()
                if round > 0 { best[index] = min(best[index], seconds) }
            }
        }
        return (best[0], best[1])
    }

    /// Seconds of a section whose tasks do nothing, the fastest of many.
    private func emptySection(threads: Int) -> Double {
        let pool = WorkerPool(threads: threads), sections = 100
        return (0..<100).map { _ in
            let start = PhaseTimer.now
            for _ in 0..<sections { pool.run(4 * threads) { _ in } }
            return (PhaseTimer.now - start) / Double(sections)
        }.min()!
    }
}
