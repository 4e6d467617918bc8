import Dispatch
import Foundation
import GRDB

/// A run that is under way: takes in facts at any rate and writes them about once a second, from a thread of its own.
///
/// Once a run has started, a failing registry never stops it: facts wait in memory for the next attempt, and `warn` is
/// told once. All functions may be called from any thread.
package final class LiveRun: @unchecked Sendable {
    /// Seconds between writes of facts, and between heartbeats.
    package struct Rhythm: Sendable {
        package var flush: Double
        package var heartbeat: Double
        package init(flush: Double = 1, heartbeat: Double = 10) {
            self.flush = flush
            self.heartbeat = heartbeat
        }
    }

    package let id: Int64
    private let registry: RunRegistry
    private let rhythm: Rhythm
    private let warn: @Sendable (String) -> Void

    /// The writer's own.
    private var hasWarned = false
    /// Wakes the writer when the run ends.
    private let ending = DispatchSemaphore(value: 0)
    /// Guards everything below, and tells when the writer has stopped.
    private let condition = NSCondition()
    private var pending: [Fact] = []
    private var hasEnded = false
    private var writerHasStopped = false

    init(id: Int64, registry: RunRegistry, rhythm: Rhythm, warn: @escaping @Sendable (String) -> Void) {
        self.id = id
        self.registry = registry
        self.rhythm = rhythm
        self.warn = warn
        startWriter()
    }

    /// Without a thread of its own, facts are written at the end.
    private func startWriter() {
        var thread = pthread_t()
        let shared = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<LiveRun>.fromOpaque(context!).takeRetainedValue().writeUntilEnded()
                return nil
            }, shared.toOpaque())
        guard code != 0 else {
            pthread_detach(thread)
            return
        }
        shared.release()
        writerHasStopped = true
    }

    func record(_ fact: Fact) {
        condition.lock()
        if !hasEnded { pending.append(fact) }
        condition.unlock()
    }

    /// Writes what is still waiting together with the ending, waiting for other writers as long as the registry allows.
    package func end(_ ending: RunEnding) {
        condition.lock()
        guard !hasEnded else { return condition.unlock() }
        hasEnded = true
        self.ending.signal()
        while !writerHasStopped { condition.wait() }
        let facts = pending + [.ending(ending)]
        pending = []
        condition.unlock()
        do {
            try write(facts)
        } catch {
            warn("\(facts.count) facts of this run are not in the registry: \(error)")
        }
    }

    // MARK: - The writing thread

    private func writeUntilEnded() {
        var nextHeartbeat = DispatchTime.now() + rhythm.heartbeat
        condition.lock()
        while !hasEnded {
            condition.unlock()
            // by a clock that nobody sets back
            _ = ending.wait(timeout: .now() + rhythm.flush)
            condition.lock()
            guard !hasEnded else { break }
            var facts = pending
            if DispatchTime.now() >= nextHeartbeat {
                facts.append(.heartbeat)
                nextHeartbeat = .now() + rhythm.heartbeat
            }
            guard !facts.isEmpty else { continue }
            pending = []
            condition.unlock()
            let left = writeOrKeep(facts)
            condition.lock()
            pending = left + pending
        }
        writerHasStopped = true
        condition.broadcast()
        condition.unlock()
    }

    private func writeOrKeep(_ facts: [Fact]) -> [Fact] {
        do {
            try write(facts)
            return []
        } catch {
            if !hasWarned { warn("the run goes on without its registry for now: \(error)") }
            hasWarned = true
            return facts.filter { !$0.isHeartbeat }
        }
    }

    private func write(_ facts: [Fact]) throws {
        let rejected = try registry.write { database in
            try facts.compactMap { try $0.insert(into: database, run: id, root: registry.root) }
        }
        if let first = rejected.first { warn("\(rejected.count) facts are not in the registry: \(first)") }
    }
}

// MARK: - What can be said about a run

extension LiveRun {
    /// A setting or a result by name. The leaderboard looks for `search`, `replaced` and `parameters`.
    package func param(_ key: String, _ value: some CustomStringConvertible & Sendable) {
        record(.param(key: key, value: value.description))
    }

    /// A measured value at a step. The leaderboard looks for `tokens_per_second`.
    package func metric(_ key: String, step: Int, _ value: Double) {
        record(.metric(key: key, step: step, value: value, time: Time.now()))
    }

    package func output(_ role: String, _ artifact: Artifact) {
        record(.artifact(direction: "out", role: role, artifact, time: Time.now()))
    }

    package func score(_ score: Score) { record(.score(score)) }
    package func significance(_ test: Significance) { record(.significance(test)) }

    /// Notes that this run goes on from the checkpoint of an earlier one. At once, if it can be: killed before its
    /// first facts are written, it would cut those that follow off from what came before.
    package func resumed(from run: Int64) {
        let fact = Fact.resumed(from: run)
        do { try write([fact]) } catch { record(fact) }
    }
}
