import Foundation
import Testing

@testable import Registry

/// What a report asks, on a registry that is made here.
@Suite struct QueryTests {
    private let scratch: Scratch
    private let registry: RunRegistry
    private static let failed = RunEnding(
        status: .failed, exitCode: 74, error: "disk full", wallSeconds: 60, cpuSeconds: 90, peakResidentBytes: 1 << 20)

    init() throws {
        scratch = Scratch()
        registry = try scratch.open()
    }

    @discardableResult
    private func score(
        _ spec: String, _ bleu: Double, name: String = "toy", search: String? = "greedy", testSet: String = "test",
        base: Artifact? = nil, output: Artifact, ending: RunEnding = finished
    ) throws -> Int64 {
        try registry.record(
            describe("score", spec: spec, name: name), reading: base.map { [("base", $0)] } ?? [], making: output,
            ending: ending
        ) { run in
            run.param("replaced", spec == "teacher" ? 0 : 6)
            run.param("parameters", 1234)
            if let search { run.param("search", search) }
            run.metric("tokens_per_second", step: 0, 99)
            run.score(Score(metric: "BLEU", testSet: testSet, value: bleu, signature: "sig", confidence: 1.5))
            run.score(Score(metric: "chrF2", testSet: testSet, value: 60.5))
            run.score(Score(metric: "paper-compat", testSet: testSet, value: 0.25))
            if let base {
                run.significance(
                    Significance(
                        base: base.sha256, metric: "BLEU", testSet: testSet, method: "bootstrap", trials: 1000, seed: 1,
                        p: 0.04))
            }
        }
    }

    @Test func anEmptyRegistryHasNothing() throws {
        #expect(try registry.leaderboard(of: ["toy"]).isEmpty)
        #expect(try registry.runs(of: ["toy"]).isEmpty)
        #expect(try registry.runs([1]).isEmpty)
        #expect(try registry.metrics(of: [1], like: "*").isEmpty)
        #expect(try registry.uses(by: [1]).isEmpty)
        #expect(try registry.ancestors(of: 1).isEmpty)
        #expect(try registry.reclaimable().isEmpty)
    }

    @Test func nothingIsAskedForNoNames() throws {
        try score("teacher", 30, output: artifact("a", kind: "score"))
        #expect(try registry.leaderboard(of: []).isEmpty)
        #expect(try registry.runs(of: []).isEmpty)
        #expect(try registry.metrics(of: [Int64](), like: "*").isEmpty)
        #expect(try registry.metrics(of: [1]).isEmpty)
    }

    // MARK: - Leaderboard

    @Test func aRowHasAllThatWasMeasured() throws {
        let teacher = artifact("a", kind: "score")
        let base = try score("teacher", 35.416, output: teacher)
        let run = try score("alr-m.encoder", 34.3, base: teacher, output: artifact("b", kind: "score"))
        let rows = try registry.leaderboard(of: ["toy"])
        #expect(rows.map(\.run) == [base, run])
        let (first, row) = (rows[0], rows[1])
        #expect((first.model, first.replaced, first.bleu) == ("teacher", 0, 35.42))
        #expect((first.difference, first.p, first.base) == (nil, nil, nil))
        #expect(
            (row.name, row.model, row.search, row.replaced, row.parameters) == (
                "toy", "alr-m.encoder", "greedy", 6, 1234
            ))
        #expect((row.bleu, row.confidence, row.difference, row.p) == (34.3, 1.5, -1.12, 0.04))
        #expect((row.chrf, row.paperCompat, row.tokensPerSecond) == (60.5, 0.25, 99))
        #expect((row.testSet, row.signature, row.base) == ("test", "sig", base))
    }

    @Test func onlyTheNewestThatFinishedAndOnlyTheseNames() throws {
        try score("teacher", 30, output: artifact("a", kind: "score"))
        let newest = try score("teacher", 31, output: artifact("b", kind: "score"))
        try score("teacher", 99, output: artifact("c", kind: "score"), ending: Self.failed)
        let wide = try score("teacher", 33, search: "beam 4", output: artifact("d", kind: "score"))
        let other = try score("teacher", 40, name: "toy.seed-2", output: artifact("e", kind: "score"))
        let live = try score("teacher", 98, output: artifact("f", kind: "score"))
        _ = try registry.write {
            try $0.execute(sql: "UPDATE runs SET status = 'running', ended = NULL WHERE id = \(live)")
        }
        #expect(try registry.leaderboard(of: ["toy"]).map(\.run) == [wide, newest])
        #expect(try registry.leaderboard(of: ["toy", "toy.seed-2"]).map(\.run) == [other, wide, newest])
        #expect(try registry.leaderboard(of: ["toy.seed"]).isEmpty)
    }

    @Test func oneTestSetAfterTheOther() throws {
        let low = try score("teacher", 10, testSet: "a", output: artifact("a", kind: "score"))
        let high = try score("teacher", 50, search: nil, testSet: "b", output: artifact("b", kind: "score"))
        let rows = try registry.leaderboard(of: ["toy"])
        #expect(rows.map(\.run) == [low, high])
        #expect(rows.map(\.search) == ["greedy", nil])
    }

    // MARK: - Runs

    @Test func runsOfAllEndings() throws {
        let output = artifact("a", kind: "train", at: scratch.folder + "/toy/train")
        let first = try registry.record(describe("train", spec: "x"), making: output)
        let second = try registry.record(describe("capture"), ending: Self.failed)
        let live = try registry.start(describe("distill"), inputs: []) { print($0) }
        try registry.record(describe("train", name: "other"))
        let runs = try registry.runs(of: ["toy"])
        #expect(runs.map(\.id) == [first, second, live.id])
        #expect(runs.map(\.status) == ["finished", "failed", "running"])
        #expect(runs.map(\.outputSHA256) == [hash("a"), nil, nil])
        let run = runs[0]
        #expect((run.stage, run.spec, run.arguments, run.config) == ("train", "x", ["train", "--x"], "{\"a\":1}"))
        #expect((run.commit, run.isDirty, run.seed, run.threads) == ("abc", true, 7, 2))
        #expect((run.wallSeconds, run.cpuSeconds, run.peakBytes, run.outputBytes) == (3600, 7200, 5 << 20, 1000))
        #expect(run.outputFolder(in: registry) == scratch.folder + "/toy/train")
        #expect(abs(try #require(run.started).timeIntervalSinceNow) < 60)
        #expect(runs[2].wallSeconds.map { $0 < 60 } == true, "it is at work")
        #expect(runs[2].outputFolder(in: registry) == nil)
        #expect(try registry.runs([live.id, first]).map(\.id) == [first, live.id])
        live.end(finished)
    }

    // MARK: - Curves

    @Test func curvesByPatternRunAndStep() throws {
        func train(_ values: [Double]) throws -> Int64 {
            try registry.record(describe("train")) { run in
                for (step, value) in values.enumerated() {
                    run.metric("valid.loss", step: step, value)
                    run.metric("layer.0.valid.loss", step: step, -value)
                    run.metric("train.loss", step: step, 0)
                }
            }
        }
        let (first, second) = (try train([3, 2, .nan, 1]), try train([5]))
        func points(_ runs: [Int64], _ pattern: String) throws -> [[Double]] {
            try registry.metrics(of: runs, like: pattern).map { [Double($0.run), Double($0.step), $0.value] }
        }
        let (a, b) = (Double(first), Double(second))
        #expect(
            try points([first], "valid.loss") == [[a, 0, 3], [a, 1, 2], [a, 3, 1]], "what is no number is left out")
        #expect(try points([second, first], "valid.*") == [[a, 0, 3], [a, 1, 2], [a, 3, 1], [b, 0, 5]])
        #expect(try points([second], "layer.*.valid.loss") == [[b, 0, -5]])
        #expect(try points([second], "valid") == [])
        #expect(
            try registry.metrics(of: [second], like: "train.*", "valid.loss").map(\.key) == [
                "train.loss", "valid.loss",
            ])
    }

    /// A run that went on has the values of those before it, and its own where it repeated their steps.
    @Test func curvesGoOnWhereTheRunBeforeStopped() throws {
        func train(_ values: [Int: Double], from earlier: Int64? = nil) throws -> Int64 {
            try registry.record(describe("train")) { run in
                if let earlier { run.resumed(from: earlier) }
                for (step, value) in values.sorted(by: { $0.key < $1.key }) {
                    run.metric("valid.loss", step: step, value)
                }
            }
        }
        let first = try train([10: 3, 20: 2.5, 30: 2.25]), second = try train([20: 2, 40: 1.5], from: first),
            third = try train([50: 1], from: second), other = try train([10: 9])
        func points(_ runs: [Int64]) throws -> [[Double]] {
            try registry.metrics(of: runs, like: "valid.loss").map { [Double($0.run), Double($0.step), $0.value] }
        }
        #expect(try points([first]).map { $0[1...] } == [[10, 3], [20, 2.5], [30, 2.25]])
        let whole: [[Double]] = [[10, 3], [20, 2], [30, 2.25], [40, 1.5], [50, 1]], own = Double(third)
        #expect(try points([third]) == whole.map { [own] + $0 })
        #expect(try points([other, third]) == whole.map { [own] + $0 } + [[Double(other), 10, 9]])
        let circle = try registry.record(describe("train")) { run in
            run.resumed(from: run.id)
            run.metric("valid.loss", step: 10, 4)
        }
        #expect(try points([circle]) == [[Double(circle), 10, 4]])
    }

    // MARK: - Lineage

    @Test func whatARunReadAndWhereItCameFrom() throws {
        let tokens = artifact("2", kind: "tokenize", at: scratch.folder + "/toy/tokens"),
            text = artifact("1", kind: "file")
        let teacher = artifact("3", kind: "train"), capture = artifact("4", kind: "capture")
        let network = artifact("5", kind: "distill"), model = artifact("6", kind: "splice")
        let base = artifact("7", kind: "score")
        let first = try registry.record(describe("tokenize"), reading: [("source", text)], making: tokens)
        let second = try registry.record(describe("train"), reading: [("tokens", tokens)], making: teacher)
        let third = try registry.record(
            describe("capture"), reading: [("model", teacher), ("tokens", tokens)], making: capture)
        let fourth = try registry.record(describe("distill"), reading: [("capture", capture)], making: network)
        let fifth = try registry.record(
            describe("splice"), reading: [("model", teacher), ("replacement", network)], making: model)
        let sixth = try registry.record(
            describe("score"), reading: [("model", teacher), ("tokens", tokens)], making: base)
        let last = try registry.record(
            describe("score"), reading: [("model", model), ("tokens", tokens), ("base", base)],
            making: artifact("8", kind: "score"))

        let uses = try registry.uses(by: [last])
        #expect(uses.map(\.role) == ["base", "model", "tokens"])
        #expect(uses.map(\.source) == [sixth, fifth, first])
        #expect(uses[2].path.map(registry.onDisk) == scratch.folder + "/toy/tokens")
        #expect(try registry.uses(by: [first]).map(\.source) == [nil], "a raw file")

        // what it is compared with is nothing that it was made from
        #expect(try registry.ancestors(of: last) == [first, fifth, second, fourth, third])
        #expect(try registry.ancestors(of: sixth) == [first, second])
        #expect(try registry.ancestors(of: first) == [])
    }

    @Test func aRunThatReadsWhatItMadeIsNotItsOwnAncestor() throws {
        let loop = artifact("1", kind: "train")
        let first = try registry.record(describe("train"), reading: [("model", loop)], making: loop)
        #expect(try registry.ancestors(of: first) == [])
    }

    /// Of two scores of one table, one was compared with a teacher that is no more.
    @Test func aScoreIsOutdatedWhenItsTeacherIsMadeAnew() throws {
        func model(_ id: String) -> Artifact {
            Artifact(sha256: hash(id), bytes: 1, kind: "train", path: scratch.folder + "/toy/train")
        }
        func score(_ spec: String, of read: Artifact, base: Artifact?, making id: String) throws -> Artifact {
            let made = artifact(id, kind: "score")
            try registry.record(
                describe("score", spec: spec), reading: [("model", read)] + (base.map { [("base", $0)] } ?? []),
                making: made
            ) { $0.score(Score(metric: "BLEU", testSet: "test", value: 30, signature: "sig")) }
            return made
        }
        func outdated() throws -> [String?] {
            try registry.rows("SELECT spec || outdated FROM leaderboard JOIN runs ON id = run ORDER BY id").map {
                $0[0]
            }
        }
        let first = model("1"), second = model("2")
        try FileManager.default.createDirectory(atPath: first.path!, withIntermediateDirectories: true)
        try registry.record(describe("train"), making: first)
        let before = try score("teacher", of: first, base: nil, making: "3")
        _ = try score("mix", of: artifact("4", kind: "splice"), base: before, making: "5")
        _ = try score("alr", of: artifact("6", kind: "splice"), base: before, making: "7")
        #expect(try outdated() == ["teacher0", "mix0", "alr0"])
        try registry.record(describe("train"), making: second)
        #expect(try outdated() == ["teacher1", "mix1", "alr1"])
        let after = try score("teacher", of: second, base: nil, making: "8")
        _ = try score("mix", of: artifact("9", kind: "splice"), base: after, making: "a")
        #expect(try outdated() == ["alr1", "teacher0", "mix0"])
        #expect(try registry.leaderboard(of: ["toy"]).filter(\.isOutdated).map(\.model) == ["alr"])
    }

    // MARK: - Costs

    @Test func capturesThatNobodyNeeds() throws {
        func capture(_ id: String, bytes: Int) throws -> Artifact {
            let path = scratch.folder + "/toy/capture/" + id
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let made = Artifact(sha256: hash(id), bytes: bytes, kind: "capture", path: path)
            try registry.record(describe("capture"), making: made)
            return made
        }
        let small = try capture("a", bytes: 10), large = try capture("b", bytes: 20)
        _ = try capture("c", bytes: 30)  // nobody has read it yet
        let failing = try capture("d", bytes: 40)
        for read in [small, large] { try registry.record(describe("distill"), reading: [("capture", read)]) }
        try registry.record(describe("distill"), reading: [("capture", failing)], ending: Self.failed)
        #expect(try registry.reclaimable().map(\.path) == ["toy/capture/b", "toy/capture/a"])
        #expect(try registry.reclaimable().map(\.bytes) == [20, 10])
        // a trial of a search that was given up, whose folder went
        let pruned = try capture("e", bytes: 5)
        try registry.record(describe("distill"), reading: [("capture", pruned)])
        var trial = describe("distill")
        trial.folder = scratch.folder + "/toy/distill/search.3"
        try FileManager.default.createDirectory(atPath: trial.folder!, withIntermediateDirectories: true)
        try registry.record(trial, reading: [("capture", pruned)], ending: Self.failed)
        #expect(try registry.reclaimable().map(\.bytes) == [20, 10])
        try FileManager.default.removeItem(atPath: trial.folder!)
        #expect(try registry.reclaimable().map(\.bytes) == [20, 10, 5])
        let live = try registry.start(describe("distill"), inputs: [(role: "capture", artifact: large)]) { print($0) }
        #expect(try registry.reclaimable().isEmpty, "what follows may read the others too")
        live.end(finished)
        #expect(try registry.reclaimable().map(\.path) == ["toy/capture/b", "toy/capture/a", "toy/capture/e"])
    }
}
