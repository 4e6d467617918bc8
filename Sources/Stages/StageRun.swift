import Foundation
import Kernels
import Logging
import Processes
import Registry
import Tensors
import Training

/// One execution of a stage, from the lock on its output folder to the last fact in the registry.
///
///     let work = StageWork(
///         Self.stage, configuration: settings, inputs: [.folder("tokens", folder.publication)], seed: seed)
///     try StageRun.perform(work, options: options, output: output) { run in
///         ...compute, write files to run.folder.path("model.safetensors")...
///         try run.publish(settings)
///     }
package final class StageRun {
    package let stage: String
    /// Nil where what is made has none.
    private let spec: String?
    package let threads: Int
    /// Where the stage writes.
    package let folder: OutputFolder
    /// Messages on standard error; `--quiet` leaves warnings.
    package var log: Logger { messages.log }

    private let live: LiveRun
    private let registry: RunRegistry
    private let description: RunDescription
    private let inputs: [StageInput]
    /// Whether it takes long, so that the folder itself says what has made it.
    private let isResumable: Bool
    private let messages: RunMessages
    private let clock = ProcessClock()
    private var progresses: [ProgressDisplay] = []
    private var hasNotedThreads = false
    /// While processes of the group do parts of the work by themselves.
    private var division: Division?

    /// Runs a stage: locks the output folder, records the start, calls `body`, records how it ended.
    ///
    /// If the folder already holds what the same key (see `RunKey`) made, nothing is run, unless `--force` was given,
    /// and nil is returned. A folder that holds anything else than this stage's work is refused (see `OutputPlace`).
    /// What `body` throws is recorded and thrown on. A registry that cannot be used at the start ends the stage before
    /// it has touched what is in the folder; one that fails later only costs a warning. A training whose end did not
    /// reach the registry is recorded as finished, and its folder brought to its end.
    ///
    /// - Parameters:
    ///   - options: those that every stage has
    ///   - output: the folder to write
    ///   - body: the work; it publishes the folder when everything is written
    @discardableResult
    package static func perform<Value>(
        _ work: StageWork, options: StageOptions, output: String, body: (StageRun) throws -> Value
    ) throws -> Value? {
        if group.leads { return try lead(work, options: options, output: output, body: body) }
        return try follow(options) { try lead(work, options: $0, output: $1, leadersKey: $2, body: body) }
    }

    private static func lead<Value>(
        _ work: StageWork, options: StageOptions, output: String, leadersKey: String? = nil,
        body: (StageRun) throws -> Value
    ) throws -> Value? {
        Signals.install()
        let location = RunLocation(output: output, stage: work.stage), path = options.registry ?? location.registry
        let messages = RunMessages(
            work.stage, quiet: options.quiet,
            preface: "\(work.stage): run \(location.name), recorded in \(FilePath.shown(path))")
        let key = try RunKey(work)
        if let leadersKey, try key.hash() != leadersKey { throw OtherWork(rank: group.rank) }
        try OutputPlace.check(output, stage: work.stage, inputs: work.inputs)
        let lock = try FolderLock(output, stage: work.stage)
        defer { withExtendedLifetime(lock) {} }
        let registry = try RunRegistry(path: path, journal: options.registryJournal)
        let description = try RunDescription(
            key, label: work.label, name: location.name, folder: FilePath.absolute(output), threads: options.threadCount
        )
        // we hold the folder's lock: whoever is said to be at work in it is not
        try registry.markLost(in: FilePath.absolute(output))
        let folder = try OutputFolder(output)
        if !options.force, try registry.isUpToDate(folder, work.resumption, keyHash: description.keyHash) {
            messages.log.info(
                "\(output) is complete for this configuration and these inputs (--force makes it again)")
            callToWork(nil)
            return nil
        }
        if work.resumption.isFromCheckpoint, !options.force, ManifestFile.exists(in: output) {
            messages.log.info(
                "replacing what \(output) holds: made of another configuration or other inputs, or not recorded here")
        }
        return try StageRun(description, work, in: folder, registry, messages).carryOut(work, key, body)
    }

    /// Does the work and records how it ended.
    private func carryOut<Value>(_ work: StageWork, _ key: RunKey, _ body: (StageRun) throws -> Value) throws -> Value {
        do {
            if try UnfinishedWork.claim(folder, key, work.resumption, log: log) { resumed() }
            defer { progresses.forEach { $0.abandon() } }
            live.recordParams(of: description.configuration)
            Self.callToWork(keyHash)
            let value = try body(self)
            live.end(clock.ending(.finished, exitCode: 0))
            return value
        } catch {
            try? UnfinishedWork.abandon(folder, work.resumption)
            live.end(clock.ending(for: error))
            guard var stop = error as? Interruption else { throw error }
            stop.keepsWork = FileSystem.isFolder(folder.unfinished)
            throw stop
        }
    }

    /// Records the start.
    private init(
        _ description: RunDescription, _ work: StageWork, in folder: OutputFolder, _ registry: RunRegistry,
        _ messages: RunMessages
    ) throws {
        let log = messages.log
        live = try registry.start(description, inputs: work.inputs.map { ($0.role, $0.artifact) }) {
            log.warning("\($0)")
        }
        stage = description.stage
        spec = work.spec
        threads = description.threads
        self.description = description
        inputs = work.inputs
        isResumable = work.resumption.isFromCheckpoint
        self.folder = folder
        self.registry = registry
        self.messages = messages
    }

    /// Names configuration, revision and inputs; a checkpoint of another key is of no use to this run.
    package var keyHash: String { description.keyHash }

    // MARK: - Several processes

    /// Does parts of the work one after another; where processes are several, each does some by itself. Returns when
    /// all are done. Where one was asked to stop or has failed, all end with it.
    ///
    /// - Parameter work: does a part and writes it into this folder, which is the leader's; it asks `isToStop`
    package func divide<Part>(_ parts: [Part], _ work: (Part, OutputFolder) throws -> Void) throws {
        let group = Self.group
        guard group.count > 1 else { return try parts.forEach { try work($0, folder) } }
        if group.count > parts.count {
            log.info("\(group.count) processes, of which \(parts.count) can work at a time")
        }
        let common = try leadersFolder()
        let division = Division(group, isAskedToStop: { Signals.received != nil }) { [self] news in
            if news.hasResumed { resumed() }
            for metric in news.metrics { live.metric(metric.key, step: metric.step, metric.value) }
        }
        self.division = division
        defer { self.division = nil }
        try division.carryOut(parts) { try work($0, common) }
    }

    /// The folder of process 0, in which it has begun its work.
    private func leadersFolder() throws -> OutputFolder {
        let own = FilePath.absolute(folder.folder),
            path = String(decoding: Self.group.broadcast(Data(own.utf8)), as: UTF8.self)
        guard path != own else { return folder }
        guard FileSystem.isFolder(FilePath.join(path, OutputFolder.unfinishedName)) else {
            throw DataError(
                path: path, expected: "the folder that process 0 writes to", found: "none",
                hint: "give the processes an --output that all of them see")
        }
        return try OutputFolder(path)
    }

    // MARK: - Stopping

    /// Whether someone has asked this process to stop, or another that does other parts of the work (see `divide`).
    /// Loops ask after every step.
    package func isToStop() -> Bool { division?.meet() ?? (Signals.received != nil) }

    /// Says so, once, where more threads are asked for than can work; nil: there is no such number.
    package func note(mostThreads most: Int?) {
        guard let most, threads > most, !hasNotedThreads else { return }
        hasNotedThreads = true
        log.info("\(threads) threads, of which \(most) can work at a time")
    }

    /// Throws `Interruption` if a stop was requested.
    package func stopIfRequested() throws {
        if let signal = Signals.received { throw Interruption(signal: signal) }
    }

    /// If a stop was requested: records it and ends the process here and now, for work that has nothing to save.
    package func leaveIfStopRequested() {
        guard let signal = Signals.received else { return }
        let stop = Interruption(signal: signal)
        try? folder.clearUnfinished()
        live.end(clock.ending(for: stop))
        progresses.forEach { $0.abandon() }
        Failure(stop)?.lines(program: stage).forEach(Terminal.standardError.line)
        exit(stop.exitCode)
    }

    /// Records that the stage goes on from a checkpoint; which run wrote it is looked up.
    package func resumed() {
        guard Self.group.leads else {
            division?.tell { $0.hasResumed = true }
            return
        }
        if let earlier = try? registry.unfinishedRun(before: live.id) { live.resumed(from: earlier) }
    }

    // MARK: - Results

    /// Writes the manifest, which makes the folder count as made, and records it as this run's output.
    package func publish(_ configuration: some Codable) throws {
        messages.preface.say()
        let lineage = Lineage.of(inputs.map { ($0.role, $0.sha256, $0.origins) })
        try folder.publish(
            stage: stage, spec: spec, configuration: configuration, inputs: lineage,
            keyHash: isResumable ? keyHash : nil)
        live.output(stage, try Artifact.published(folder.folder))
    }

    /// A setting or a result by name. The leaderboard shows `search`, `replaced` and `parameters`.
    package func param(_ key: String, _ value: some CustomStringConvertible & Sendable) { live.param(key, value) }

    /// A measured value at a step; written about once a second. The leaderboard shows `tokens_per_second`.
    package func metric(_ key: MetricKey, step: Int = 0, _ value: some BinaryFloatingPoint) {
        metric(key.description, step: step, Double(value))
    }

    /// The same for figures that one stage alone knows: counts by reason, benchmarks.
    package func metric(_ key: String, step: Int = 0, _ value: Double) {
        guard let division, !Self.group.leads else { return live.metric(key, step: step, value) }
        division.tell { $0.metrics.append(.init(key: key, step: step, value: value)) }
    }

    package func score(_ score: Score) { live.score(score) }
    package func significance(_ test: Significance) { live.significance(test) }

    /// A progress display for a loop of this run. `start` is where a resumed loop goes on.
    package func progress(_ label: String? = nil, total: Int?, unit: String, start: Int = 0) -> ProgressDisplay {
        messages.preface.say()
        let progress = ProgressDisplay(
            label ?? stage, total: total, unit: unit, start: start, terminal: messages.terminal)
        progresses.append(progress)
        return progress
    }
}

// MARK: - Beginning and end

extension RunDescription {
    fileprivate init(_ key: RunKey, label: String?, name: String, folder: String, threads: Int) throws {
        self.init(
            name: name, stage: key.stage, spec: key.spec ?? label, folder: folder, keyHash: try key.hash(),
            configuration: String(decoding: key.configuration, as: UTF8.self), arguments: CommandLine.arguments,
            version: Program.version(of: key.stage), git: ThisMachine.gitState(), seed: key.seed,
            threads: threads,
            machine: ThisMachine.describe())
    }
}

extension RunRegistry {
    /// Whether `folder` is whole and is what the last finished run of this key made. Says yes by touching the manifest,
    /// so that Make sees the folder as newer than what it was made from.
    ///
    /// A training takes hours to do again: where the end of one did not get here, the folder's own word holds, and is
    /// recorded if its start is here. What has no checkpoint has more to record than its output, and is done again.
    fileprivate func isUpToDate(_ folder: OutputFolder, _ resumption: Resumption, keyHash: String) throws -> Bool {
        guard let artifact = try? Artifact.published(folder.folder) else { return false }
        if try !hasMade(artifact.sha256, keyHash: keyHash) {
            guard resumption.isFromCheckpoint, folder.isMade(artifact.sha256, keyHash: keyHash) else { return false }
            try hasPublished(artifact, in: FilePath.absolute(folder.folder), keyHash: keyHash)
        }
        return utimes(ManifestFile.path(folder.folder), nil) == 0
    }
}

extension LiveRun {
    /// The scalar members of a JSON object as params, nested ones as `optimizer.rate`.
    fileprivate func recordParams(of json: String) {
        func walk(_ value: Any, _ name: String) {
            if let object = value as? [String: Any] {
                for (key, member) in object { walk(member, name.isEmpty ? key : name + "." + key) }
            } else if !name.isEmpty, !(value is [Any]), !(value is NSNull) {
                param(name, "\(value)")
            }
        }
        walk((try? JSONSerialization.jsonObject(with: Data(json.utf8))) ?? [:] as [String: Any], "")
    }
}

/// Wall and CPU time since a run began.
private struct ProcessClock {
    let began = Clock.now

    func ending(_ status: RunEnding.Status, exitCode: Int32, error: String? = nil) -> RunEnding {
        RunEnding(
            status: status, exitCode: exitCode, error: error, wallSeconds: Clock.now - began,
            cpuSeconds: ThisMachine.cpuSeconds, peakResidentBytes: ThisMachine.highestResidentBytes)
    }

    func ending(for error: Error) -> RunEnding {
        if let stop = error as? Interruption { return ending(.interrupted, exitCode: stop.exitCode, error: "\(stop)") }
        return ending(.failed, exitCode: Failure.exitCode(of: error), error: "\(error)")
    }
}
