import Foundation
import Kernels
import Models
import Tensors
import Training

/// What a step would take on more cores than there are: tasks that were measured one by one on one thread are dealt as
/// a pool deals them, each to the core that is free first. That memory is shared by all cores is not in it.
struct SimulatedStep {
    /// Seconds of the tasks, section by section.
    let sections: [[Double]]
    /// Seconds outside all tasks.
    let serial: Double
    /// Processor seconds of all of it, the fewest of several times.
    let total: Double

    /// The fastest of several times for each task, and for what is outside them.
    init(_ runs: [(sections: [[Double]], seconds: Double)]) {
        let all = runs.map(\.sections)
        sections = all[0].indices.map { section in
            all[0][section].indices.map { task in all.map { $0[section][task] }.min()! }
        }
        serial = runs.map { run in run.seconds - run.sections.joined().reduce(0, +) }.min()!
        total = runs.map(\.seconds).min()!
    }

    /// How many times as fast as `one` this is on so many cores: dealt to them against one after another, and what it
    /// costs more to be cut for them.
    func speed(cores: Int, section overhead: Double, beside one: SimulatedStep) -> Double {
        seconds(cores: 1, section: 0) / seconds(cores: cores, section: overhead) * one.total / total
    }

    /// - Parameter section: seconds that it takes to begin and end a section
    func seconds(cores: Int, section overhead: Double) -> Double {
        sections.reduce(serial) { $0 + overhead + Self.makespan($1, cores: cores) }
    }

    /// Seconds that cores wait for the last tasks of sections, on average.
    func waiting(cores: Int) -> Double {
        sections.reduce(0) { $0 + Self.makespan($1, cores: cores) - $1.reduce(0, +) / Double(cores) }
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

/// Work that is the same every time.
struct RepeatedWork {
    let pool: WorkerPool
    let body: () -> Void

    /// Of doing it once.
    func seconds() -> Double {
        let start = Clock.now
        body()
        return Clock.now - start
    }

    /// The seconds of its tasks on one thread, section by section, and the processor time of doing it once.
    func recorded() -> (sections: [[Double]], seconds: Double) {
        let record = TaskRecord(), start = Clock.processorNow
        pool.record = record
        defer { pool.record = nil }
        body()
        return (record.sections, Clock.processorNow - start)
    }
}

extension Session {
    /// How many times as fast work is on 2 to 64 cores as on one: simulated, and beside it measured for the cores there
    /// are.
    func scaling() throws {
        let threads = threadCounts.last!, overhead = emptySection(threads: threads)
        add(.scaling, "empty section", threads: threads, overhead * 1e6, "microseconds")
        for batchTokens in [1, 4].map({ $0 * TransformerTrainee.Settings().batchTokens }) {
            var settings = TransformerTrainee.Settings()
            settings.batchTokens = batchTokens
            simulate("training, batches of \(batchTokens)", overhead) { pool in
                let work = TrainingWork(configuration, train, settings, pool: pool)
                return { work.repeatStep() }
            }
        }
        let specs = try settings.specs(.scaling)
        try withActivations(of: specs) { captured, folder, hashes in
            for spec in specs {
                try simulate("distillation, \(spec.withoutLayer)", overhead) { pool in
                    let work = try DistillationWork(spec, captured, folder: folder, hashes, pool: pool)
                    return { work.repeatStep() }
                }
            }
        }
        let model = TranslationModel(
            Transformer(configuration), weights: Transformer(configuration).layout.initialized(seed: 1))
        var search = SearchConfiguration(beam: 1)
        search.forcedLength = 14
        let sentences = sources(min(test.count, 1000), length: 14)
        simulate("translation, \(sentences.count) sentences", overhead) { pool in
            let translator = Translator(model, search, pool: pool)
            return { _ = translator.translate(sentences) }
        }
    }

    private func simulate(_ name: String, _ overhead: Double, _ work: (WorkerPool) throws -> () -> Void) rethrows {
        let whole = try repeated(work, cores: 1), there = threadCounts.last!, counts = [2, 4, 8, 16, 32, 64]
        for cores in Set(counts + [there]).subtracting([1]).sorted() {
            let (one, step) = steps(whole, try repeated(work, cores: cores)),
                seconds = step.seconds(cores: cores, section: overhead),
                times = step.speed(cores: cores, section: overhead, beside: one)
            add(
                .scaling, "\(name): simulated, \(cores) cores", threads: 1, times, "times one core",
                note: String(
                    format: "%.0f%% of linear; of %.1f ms %.2f outside all tasks, %.2f waiting for the last ones",
                    100 * times / Double(cores), 1e3 * seconds, 1e3 * step.serial, 1e3 * step.waiting(cores: cores)))
            if cores <= there { try addMeasured(name, cores, simulated: times, work) }
        }
    }

    private func addMeasured(
        _ name: String, _ threads: Int, simulated: Double, _ work: (WorkerPool) throws -> () -> Void
    ) rethrows {
        let seconds = try measured(work, threads)
        add(
            .scaling, "\(name): measured", threads: threads, seconds.alone / seconds.together, "times one core",
            note: String(
                format: "%.0f%% of linear; cores side by side reach %.0f%% of their speed, simulated with that %.0f%%",
                100 * seconds.alone / seconds.together / Double(threads), 100 * seconds.alone / seconds.crowded,
                100 * simulated / Double(threads) * seconds.alone / seconds.crowded))
    }

    /// Work that is cut for so many cores and runs on one thread.
    private func repeated(_ work: (WorkerPool) throws -> () -> Void, cores: Int) rethrows -> RepeatedWork {
        let pool = WorkerPool(threads: 1, cutsFor: cores)
        return RepeatedWork(pool: pool, body: try work(pool))
    }

    /// The same work cut for one core and for several.
    private func steps(_ one: RepeatedWork, _ several: RepeatedWork) -> (SimulatedStep, SimulatedStep) {
        var runs: [[(sections: [[Double]], seconds: Double)]] = [[], []]
        inTurn([one, several], rounds: 4...20) { index, work in
            runs[index].append(work.recorded())
            return runs[index].last!.seconds
        }
        return (SimulatedStep(runs[0]), SimulatedStep(runs[1]))
    }

    /// Seconds on one thread, on all, and on one thread while each of the others does the same by itself, which shows
    /// what cores share; the fastest of each.
    private func measured(
        _ work: (WorkerPool) throws -> () -> Void, _ threads: Int
    ) rethrows -> (alone: Double, together: Double, crowded: Double) {
        var works = try [1, threads].map { threads in
            let pool = WorkerPool(threads: threads)
            return RepeatedWork(pool: pool, body: try work(pool))
        }
        let copies = try (0..<threads).map { _ in try repeated(work, cores: 1) }, crowd = WorkerPool(threads: threads)
        works.append(RepeatedWork(pool: crowd) { crowd.run(threads) { copies[$0].body() } })
        var best = [Double](repeating: .infinity, count: works.count)
        inTurn(works, rounds: 5...1000) { index, work in
            let seconds = work.seconds()
            best[index] = min(best[index], seconds)
            return seconds
        }
        return (best[0], best[1], best[2])
    }

    /// Measures works by turns, so that what slows the machine down slows down all, for as long as a part is to take.
    ///
    /// - Parameter measure: does one work and returns its seconds
    private func inTurn(
        _ works: [RepeatedWork], rounds: ClosedRange<Int>, _ measure: (_ index: Int, RepeatedWork) -> Double
    ) {
        for work in works { _ = work.seconds() }
        var spent = 0.0, done = 0
        while done < rounds.lowerBound || (done < rounds.upperBound && spent < stopwatch.seconds) {
            for (index, work) in works.enumerated() {
                stopwatch.stopIfRequested()
                spent += measure(index, work)
            }
            done += 1
        }
    }

    /// Seconds of a section whose tasks do nothing, the fastest of many.
    private func emptySection(threads: Int) -> Double {
        let pool = WorkerPool(threads: threads), sections = 100
        return (0..<100).map { _ in
            let start = Clock.now
            for _ in 0..<sections { pool.run(4 * threads) { _ in } }
            return (Clock.now - start) / Double(sections)
        }.min()!
    }
}
