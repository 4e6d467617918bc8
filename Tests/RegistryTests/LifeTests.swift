import Foundation
import Testing

@testable import Registry

@Suite struct LifeTests {
    private let scratch: Scratch
    private let registry: RunRegistry

    init() throws {
        scratch = Scratch()
        registry = try scratch.open()
    }

    @Test func runIsRecordedFromStartToEnd() throws {
        let run = try registry.start(
            describe("train", spec: "teacher"), inputs: [("tokens", artifact("a", kind: "tokenize"))]
        ) { _ in }
        #expect(try registry.rows("SELECT status, ended FROM runs") == [["running", nil]])
        #expect(
            try registry.rows("SELECT name, stage, spec, pid FROM running") == [
                ["toy", "train", "teacher", "\(getpid())"]
            ])
        run.end(
            RunEnding(
                status: .failed, exitCode: 74, error: "disk full", wallSeconds: 2.5, cpuSeconds: 3.5,
                peakResidentBytes: 42))
        run.end(finished)
        #expect(
            try registry.rows(
                """
                SELECT name, stage, spec, status, key_hash, config, argv, version, git_commit, git_dirty, seed, threads, exit_code, error,
                  wall_seconds, cpu_seconds, peak_rss_bytes FROM runs
                """) == [
                    [
                        "toy", "train", "teacher", "failed", hash("0"), "{\"a\":1}", "[\"train\",\"--x\"]", "1", "abc",
                        "1", "7", "2", "74", "disk full",
                        "2.5", "3.5", "42",
                    ]
                ])
        #expect(try registry.rows("SELECT direction, role, artifact FROM run_io") == [["in", "tokens", hash("a")]])
    }

    /// Whoever holds a folder's lock knows that nobody is at work in it, whatever has become of a process's number.
    @Test func aRunThatIsSaidToWriteToALockedFolderIsLost() throws {
        var dead = describe("train"), other = describe("train")
        (dead.folder, other.folder) = (scratch.folder + "/toy/train", scratch.folder + "/toy/other")
        let runs = try [dead, other].map { try registry.start($0) { _ in } }
        try registry.markLost(in: scratch.folder + "/toy/../toy/train")
        #expect(
            try registry.rows("SELECT folder, status FROM runs ORDER BY id") == [
                ["toy/train", "lost"], ["toy/other", "running"],
            ])
        runs.forEach { $0.end(finished) }
    }

    @Test func metricsWaitInMemoryForTheirTurn() throws {
        let run = try registry.start(describe("train"), rhythm: .init(flush: 60)) { _ in }
        for step in 1...5000 { run.metric("loss", step: step, 1 / Double(step)) }
        #expect(try registry.rows("SELECT count(*) FROM metrics") == [["0"]])
        run.metric("loss", step: 5001, .nan)
        run.metric("loss", step: 5002, .infinity)
        run.end(finished)
        #expect(try registry.rows("SELECT count(*) FROM metrics") == [["5002"]])
        #expect(try registry.rows("SELECT value FROM metrics WHERE step > 5000") == [[nil], ["inf"]])
    }

    @Test func metricsAreWrittenWhileTheRunGoesOn() throws {
        let run = try registry.start(describe("train"), rhythm: .init(flush: 0.02)) { _ in }
        run.metric("loss", step: 1, 0.5)
        #expect(try waitFor("0.5", "SELECT value FROM metrics"))
        #expect(try registry.rows("SELECT status FROM runs") == [["running"]])
        run.end(finished)
    }

    @Test func heartbeatMovesOnAndRevivesARunTakenForLost() throws {
        let run = try registry.start(describe("train"), rhythm: .init(flush: 0.02, heartbeat: 0.05)) { _ in }
        _ = try registry.write {
            try $0.execute(sql: "UPDATE runs SET status = 'lost', heartbeat = started, ended = started")
        }
        #expect(try waitFor("running", "SELECT status FROM runs"))
        #expect(try registry.rows("SELECT ended FROM runs") == [[nil]])
        #expect(try waitFor("1", "SELECT heartbeat > started FROM runs"))
        run.end(finished)
    }

    @Test func factThatTheSchemaRefusesDoesNotKeepOthersOut() throws {
        let warnings = Warnings()
        let run = try registry.start(describe("score")) { warnings.add($0) }
        run.significance(
            Significance(base: hash("none"), metric: "BLEU", testSet: "t", method: "m", trials: 1, seed: 1, p: 0.5))
        run.score(Score(metric: "BLEU", testSet: "t", value: .nan))
        run.param("kept", 1)
        run.end(finished)
        #expect(try registry.rows("SELECT value FROM params") == [["1"]])
        #expect(try registry.rows("SELECT status FROM runs") == [["finished"]])
        #expect(warnings.all.count == 1)
    }

    @Test func lockedRegistryLaterOnOnlyWarnsAndLosesNothing() throws {
        let warnings = Warnings()
        let writer = try scratch.open(timeout: 0.02)
        let run = try writer.start(describe("train"), rhythm: .init(flush: 0.02)) { warnings.add($0) }
        _ = try registry.write { _ in
            run.metric("loss", step: 1, 0.5)
            let limit = Date().addingTimeInterval(10)
            while warnings.all.isEmpty, Date() < limit { usleep(10_000) }
        }
        run.metric("loss", step: 2, 0.25)
        run.end(finished)
        #expect(warnings.all.count == 1)
        #expect(warnings.all.first?.contains("locked") == true)
        #expect(try registry.rows("SELECT step, value FROM metrics") == [["1", "0.5"], ["2", "0.25"]])
    }

    @Test func earlierAttemptAndMadeOutputAreFoundByKey() throws {
        var elsewhere = describe("train", key: "2")
        elsewhere.folder = "/elsewhere"
        try registry.record(describe("train", key: "1"), making: artifact("a", kind: "train"))
        let stopped = try registry.record(
            describe("train", key: "2"),
            ending: RunEnding(
                status: .interrupted, exitCode: 130, wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1))
        let next = try registry.start(describe("train", key: "2")) { _ in }
        #expect(try registry.unfinishedRun(before: next.id) == stopped)
        next.resumed(from: stopped)
        next.end(finished)
        #expect(try registry.rows("SELECT resumed_from FROM runs WHERE id = \(next.id)") == [["\(stopped)"]])
        #expect(try registry.hasMade(hash("a"), keyHash: hash("1")))
        #expect(try !registry.hasMade(hash("b"), keyHash: hash("1")))
        #expect(try !registry.hasMade(hash("a"), keyHash: hash("2")))
        for other in [describe("train", key: "1"), describe("train", name: "other", key: "2"), elsewhere] {
            let run = try registry.start(other) { _ in }
            #expect(try registry.unfinishedRun(before: run.id) == nil)
            run.end(finished)
        }
    }

    /// Looks for up to ten seconds.
    private func waitFor(_ value: String, _ sql: String) throws -> Bool {
        let limit = Date().addingTimeInterval(10)
        while Date() < limit {
            if try registry.rows(sql) == [[value]] { return true }
            usleep(10_000)
        }
        return false
    }
}

@Suite struct LostRunTests {
    private let scratch: Scratch
    private let registry: RunRegistry

    init() throws {
        scratch = Scratch()
        registry = try scratch.open()
    }

    /// Leaves a run of `machine` behind that was last heard of `seconds` ago, starts another, and tells what became of
    /// the first.
    private func statusAfterNextStart(
        _ machine: Machine, silentFor seconds: Double = 0, age: Double = 0
    ) throws -> String? {
        let run = try registry.start(describe("train", machine: machine), rhythm: .init(flush: 60)) { _ in }
        let (heard, born) = (Time.text(Date().addingTimeInterval(-seconds)), Time.text(Date().addingTimeInterval(-age)))
        _ = try registry.write {
            try $0.execute(sql: "UPDATE runs SET heartbeat = '\(heard)', started = '\(born)' WHERE id = \(run.id)")
        }
        try registry.record(describe("score"))
        let status = try registry.rows("SELECT status FROM runs WHERE id = \(run.id)")[0][0]
        run.end(finished)
        return status
    }

    private func machine(host: String = "here", boot: String = "boot", pid: Int32 = getpid()) -> Machine {
        Machine(host: host, bootID: boot, pid: pid, blas: "test", cpu: "test")
    }

    @Test func liveProcessIsNotLostHoweverSilent() throws {
        #expect(try statusAfterNextStart(machine(), silentFor: 100_000) == "running")
    }

    @Test func deadProcessIsLostAtOnce() throws {
        #expect(try statusAfterNextStart(machine(pid: 0x3FFF_FFFF)) == "lost")
    }

    @Test func anotherBootMeansLost() throws {
        #expect(try statusAfterNextStart(machine(boot: "before")) == "lost")
    }

    @Test func pidGivenToAYoungerProcessMeansLost() throws {
        #expect(try statusAfterNextStart(machine(), age: 1_000_000) == "lost")
    }

    @Test func otherMachinesAreJudgedByTheirHeartbeat() throws {
        #expect(try statusAfterNextStart(machine(host: "there", pid: 1), silentFor: 60) == "running")
        #expect(try statusAfterNextStart(machine(host: "there", pid: 1), silentFor: 180) == "lost")
    }

    @Test func startTimeOfThisProcessIsInThePast() throws {
        let born = try #require(ProcessTable.startTime(of: getpid()))
        #expect(born.timeIntervalSinceNow < 2)
        #expect(born.timeIntervalSinceNow > -86_400 * 7)
        #expect(ProcessTable.startTime(of: 0x3FFF_FFFF) == nil)
    }
}

final class Warnings: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []

    var all: [String] { lock.withLock { texts } }
    func add(_ text: String) { lock.withLock { texts.append(text) } }
}
