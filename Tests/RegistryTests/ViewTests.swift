import Foundation
import Testing

@testable import Registry

@Suite struct ViewTests {
    private let scratch: Scratch
    private let registry: RunRegistry

    init() throws {
        scratch = Scratch()
        registry = try scratch.open()
    }

    private func score(
        _ spec: String?, _ value: Double, model: Artifact, base: Artifact? = nil, output: Artifact,
        name: String = "toy", testSet: String = "test",
        search: String = "greedy", p: Double? = nil, ending: RunEnding = finished
    ) throws {
        try registry.record(
            describe("score", spec: spec, name: name),
            reading: [("model", model)] + (base.map { [("base", $0)] } ?? []), making: output,
            ending: ending
        ) { run in
            run.param("replaced", spec == "teacher" ? 0 : 6)
            run.param("parameters", 1_000_000)
            run.param("search", search)
            run.metric("tokens_per_second", step: 0, 1234.4)
            run.score(
                Score(
                    metric: "BLEU", testSet: testSet, value: value, signature: "sig", precisions: [60, 40, 20, 10],
                    confidence: 1.25))
            run.score(Score(metric: "chrF2", testSet: testSet, value: 60.5))
            run.score(Score(metric: "paper-compat", testSet: "valid", value: 0.4321))
            if let base, let p {
                run.significance(
                    Significance(
                        base: base.sha256, metric: "BLEU", testSet: testSet, method: "bootstrap", trials: 1000, seed: 1,
                        p: p))
            }
        }
    }

    @Test func leaderboardComparesWithTheTeacher() throws {
        let teacher = artifact("a", kind: "train")
        let teacherScore = artifact("b", kind: "score")
        try score("teacher", 35.416, model: teacher, output: teacherScore)
        try score(
            "alr-m.encoder", 34.3, model: artifact("c", kind: "splice"), base: teacherScore,
            output: artifact("d", kind: "score"), p: 0.012)
        let rows = try registry.rows(
            "SELECT model, search, replaced, parameters, BLEU, confidence, difference, p, tokens_per_second, chrF2, paper_compat, test_set, signature FROM leaderboard"
        )
        #expect(
            rows == [
                [
                    "toy/teacher", "greedy", "0", "1000000", "35.42", "1.25", nil, nil, "1234.0", "60.5", "0.4321",
                    "test", "sig",
                ],
                [
                    "toy/alr-m.encoder", "greedy", "6", "1000000", "34.3", "1.25", "-1.12", "0.012", "1234.0", "60.5",
                    "0.4321", "test", "sig",
                ],
            ])
    }

    /// The teacher scored once more, or in another registry that came together with this one: the same bytes.
    @Test func leaderboardKeepsPWhereTheBaseWasMadeAgain() throws {
        let teacher = artifact("a", kind: "train"), teacherScore = artifact("b", kind: "score")
        try score("teacher", 35.5, model: teacher, output: teacherScore)
        try score(
            "alr-m.encoder", 34.5, model: artifact("c", kind: "splice"), base: teacherScore,
            output: artifact("d", kind: "score"), p: 0.012)
        try score("teacher", 35.5, model: teacher, output: teacherScore)
        #expect(
            try registry.rows("SELECT difference, p, base FROM leaderboard WHERE model = 'toy/alr-m.encoder'")
                == [["-1.0", "0.012", "3"]])
    }

    /// The same text under the name of another corpus, as text of one's own has it.
    @Test func leaderboardComparesWithATextOfAnotherName() throws {
        let teacherScore = artifact("b", kind: "score")
        try score("teacher", 35.5, model: artifact("a", kind: "train"), output: teacherScore, testSet: "news test")
        try score(
            "alr-m.encoder", 34.5, model: artifact("c", kind: "splice"), base: teacherScore,
            output: artifact("d", kind: "score"), testSet: "mine test", p: 0.012)
        #expect(
            try registry.rows("SELECT difference, p FROM leaderboard WHERE model = 'toy/alr-m.encoder'")
                == [["-1.0", "0.012"]])
    }

    @Test func leaderboardShowsTheLatestFinishedScoreOfEachSearch() throws {
        let model = artifact("a", kind: "train")
        try score("teacher", 30, model: model, output: artifact("b", kind: "score"))
        try score("teacher", 31, model: model, output: artifact("c", kind: "score"))
        try score("teacher", 33, model: model, output: artifact("d", kind: "score"), search: "beam 4")
        try score(
            "teacher", 99, model: model, output: artifact("e", kind: "score"),
            ending: RunEnding(
                status: .failed, exitCode: 74, error: "disk full", wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1))
        try score("teacher", 20, model: model, output: artifact("f", kind: "score"), name: "other")
        #expect(
            try registry.rows("SELECT model, search, BLEU FROM leaderboard") == [
                ["toy/teacher", "beam 4", "33.0"], ["toy/teacher", "greedy", "31.0"],
                ["other/teacher", "greedy", "20.0"],
            ])
    }

    /// A registry that is merged into a newer one brings older runs under higher numbers.
    @Test func leaderboardShowsTheScoreThatStartedLast() throws {
        let model = artifact("a", kind: "train")
        try score("teacher", 31, model: model, output: artifact("b", kind: "score"))
        try score("teacher", 30, model: model, output: artifact("c", kind: "score"))
        try registry.write { try $0.execute(sql: "UPDATE runs SET started = '2020-01-01T00:00:00.000Z' WHERE id = 2") }
        #expect(try registry.rows("SELECT BLEU, run FROM leaderboard") == [["31.0", "1"]])
    }

    /// Captures go when they have been read, and are made again, byte for byte, for the next network.
    @Test func lineageNamesTheMakerBeforeTheReader() throws {
        let capture = artifact("a", kind: "capture")
        for spec in ["mix-l.encoder", "mix-m.encoder"] {
            try registry.record(describe("capture"), making: capture)
            try registry.record(describe("distill", spec: spec), reading: [("capture", capture)])
        }
        #expect(try registry.rows("SELECT run, source FROM lineage") == [["2", "1"], ["4", "3"]])
        #expect(try (registry.ancestors(of: 2), registry.ancestors(of: 4)) == ([1], [3]))
        try registry.write { try $0.execute(sql: "UPDATE runs SET started = '2020-01-01T00:00:00.000Z' WHERE id = 3") }
        #expect(try registry.rows("SELECT source FROM lineage WHERE run = 4") == [["1"]], "3 is older, and was merged")
    }

    /// What a score was compared with is no part of what it came from.
    @Test func lineageNamesTheBaseAndNothingBehindIt() throws {
        let teacher = artifact("a", kind: "train"), base = artifact("b", kind: "score")
        try registry.record(describe("train"), making: teacher)
        try registry.record(describe("score"), reading: [("model", teacher)], making: base)
        let score = try registry.record(describe("score"), reading: [("base", base)])
        #expect(
            try registry.rows("SELECT depth, role, source FROM lineage WHERE run = \(score)") == [["1", "base", "2"]])
        #expect(try registry.ancestors(of: score) == [])
    }

    /// Of one name there may be several test sets: a smoke test's, and one that was cut anew.
    @Test func leaderboardKeepsTextsApart() throws {
        for (name, text, score) in [("a", "1", 10.0), ("b", "2", 50), ("c", "1", 30)] {
            try registry.record(describe("score", name: name)) {
                $0.param("test_text", text)
                $0.score(Score(metric: "BLEU", testSet: "toy.test", value: score))
            }
        }
        #expect(
            try registry.rows("SELECT model, test_text FROM leaderboard")
                == [["c/score", "1"], ["a/score", "1"], ["b/score", "2"]])
    }

    /// Ten thousand models, made in one place one after another, with everything that the leaderboard shows of them.
    @Test func leaderboardOfManyModelsIsQuick() throws {
        try registry.write { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                    INSERT INTO runs (id, name, stage, spec, status, key_hash, config, argv, version, threads, blas, cpu, host, pid, boot_id,
                      started, heartbeat)
                    SELECT i, 'toy', 'score', 'm' || i, 'finished', '\(hash("1"))', '{}', '[]', '1', 1, 'b', 'c', 'h', 1, 'b', 't', 't' FROM n;
                    INSERT INTO scores (run, metric, test_set, score) SELECT id, 'BLEU', 'test', id / 100.0 FROM runs;
                    INSERT INTO params SELECT id, 'search', 'greedy' FROM runs;
                    INSERT INTO metrics SELECT id, 'tokens_per_second', 0, 1, 't' FROM runs;
                    INSERT INTO artifacts SELECT printf('%064d', id), 1, 'train' FROM runs;
                    INSERT INTO artifact_paths SELECT 'toy/train', printf('%064d', id), 't', iif(id < 10000, 't', NULL) FROM runs;
                    INSERT INTO run_io SELECT id, 'in', 'model', printf('%064d', id) FROM runs;
                    """)
        }
        let start = Date()
        #expect(
            try registry.rows(
                "SELECT count(*), count(DISTINCT model), sum(outdated) FROM (SELECT * FROM leaderboard)") == [
                    ["10000", "10000", "9999"]
                ])
        #expect(Date().timeIntervalSince(start) < 5, "it took a minute when every score was compared with every other")
    }

    @Test func lineageLeadsFromAScoreToTheRawText() throws {
        let text = artifact("1", kind: "file", at: "/data/train.en")
        let tokens = artifact("2", kind: "tokenize", at: scratch.folder + "/toy/tokens")
        let teacher = artifact("3", kind: "train")
        let capture = artifact("4", kind: "capture")
        let replacement = artifact("5", kind: "distill")
        let spliced = artifact("6", kind: "splice")
        try registry.record(describe("tokenize"), reading: [("source", text)], making: tokens)
        try registry.record(describe("train"), reading: [("tokens", tokens)], making: teacher)
        try registry.record(describe("capture"), reading: [("teacher", teacher), ("tokens", tokens)], making: capture)
        try registry.record(
            describe("distill", spec: "alr-m.encoder"), reading: [("capture", capture)], making: replacement)
        try registry.record(
            describe("splice"), reading: [("model", teacher), ("replacement", replacement)], making: spliced)
        let last = try registry.record(
            describe("score"), reading: [("model", spliced), ("tokens", tokens)], making: artifact("7", kind: "score"))
        let rows = try registry.rows("SELECT depth, role, kind, stage, source FROM lineage WHERE run = \(last)")
        #expect(
            rows == [
                ["1", "model", "splice", "splice", "5"], ["1", "tokens", "tokenize", "tokenize", "1"],
                ["2", "model", "train", "train", "2"], ["2", "replacement", "distill", "distill", "4"],
                ["2", "source", "file", nil, nil],
                ["3", "capture", "capture", "capture", "3"], ["3", "tokens", "tokenize", "tokenize", "1"],
                ["4", "teacher", "train", "train", "2"], ["4", "tokens", "tokenize", "tokenize", "1"],
            ])
        #expect(
            try registry.rows("SELECT DISTINCT path FROM lineage WHERE run = \(last) AND role = 'source'") == [
                ["/data/train.en"]
            ])
    }

    /// Layer after layer: each model comes from the one before it and from a network that has learnt from that one.
    @Test func lineageOfALongChainHasAllOfItOnce() throws {
        var model = artifact("0", kind: "train"), last = try registry.record(describe("train"), making: model)
        let teacher = last, steps = 40
        for step in 1...steps {
            let capture = artifact("c\(step)", kind: "capture"), network = artifact("d\(step)", kind: "distill")
            try registry.record(describe("capture"), reading: [("model", model)], making: capture)
            try registry.record(describe("distill"), reading: [("capture", capture)], making: network)
            let next = artifact("e\(step)", kind: "splice")
            last = try registry.record(
                describe("splice"), reading: [("model", model), ("replacement", network)], making: next)
            model = next
        }
        #expect(
            try registry.rows(
                "SELECT count(*), count(DISTINCT reader || role), max(depth) FROM lineage WHERE run = \(last)")
                == [["\(4 * steps)", "\(4 * steps)", "\(steps + 2)"]])
        #expect(try registry.ancestors(of: last).count == 3 * steps)
        #expect(try registry.ancestors(of: last).contains(teacher))
        #expect(
            try registry.rows(
                "SELECT min(depth) FROM lineage WHERE run = \(last) AND source = \(teacher)") == [["\(steps)"]])
    }

    @Test func lineageEndsWhereARunReadsWhatItMade() throws {
        let loop = artifact("1", kind: "train")
        let first = try registry.record(describe("train"), reading: [("start", loop)], making: loop)
        #expect(try registry.rows("SELECT depth, source FROM lineage WHERE run = \(first)") == [["1", nil]])
        let second = try registry.record(describe("train"), reading: [("start", loop)], making: loop)
        #expect(try registry.rows("SELECT count(*) FROM lineage WHERE run = \(second)") != [["0"]])
    }

    @Test func sameKeyWithOtherBytesIsNotReproducible() throws {
        try registry.record(describe("train", key: "1"), making: artifact("a", kind: "train"))
        try registry.record(describe("train", key: "2"), making: artifact("b", kind: "train"))
        try registry.record(describe("train", key: "1"), making: artifact("a", kind: "train"))
        #expect(try registry.rows("SELECT * FROM not_reproducible") == [])
        try registry.record(describe("train", key: "1"), making: artifact("c", kind: "train"))
        #expect(
            try registry.rows("SELECT key_hash, stage, role, outputs, runs FROM not_reproducible")
                == [[hash("1"), "train", "train", "2", "1 3 4"]])
    }

    @Test func costAddsUpHours() throws {
        try registry.record(describe("train"))
        try registry.record(
            describe("train"),
            ending: RunEnding(
                status: .interrupted, exitCode: 130, wallSeconds: 1800, cpuSeconds: 0, peakResidentBytes: 7 << 20))
        #expect(try registry.rows("SELECT * FROM cost") == [["train", "2", "1", "1.5", "2.0", "7.0"]])
        try registry.record(describe("train"))
        try registry.write {
            try $0.execute(
                sql: """
                    UPDATE runs SET status = 'lost', wall_seconds = NULL, ended = NULL,
                      started = '2025-01-01T00:00:00.000Z', heartbeat = '2025-01-01T02:00:00.000Z' WHERE id = 3
                    """)
        }
        #expect(try registry.rows("SELECT hours FROM cost") == [["3.5"]], "a lost run was at work until it fell silent")
        #expect(try registry.runs(of: ["toy"]).map(\.id) == [3, 1, 2], "as they started")
        #expect(try registry.runs([3]).map(\.wallSeconds) == [7200])
    }

    @Test func capturesBecomeReclaimableWhenTheirReadersAreDone() throws {
        let path = scratch.folder + "/toy/capture/encoder"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let capture = artifact("a", kind: "capture", at: path)
        let model = artifact("b", kind: "train", at: scratch.folder)
        try registry.record(describe("capture"), reading: [("teacher", model)], making: capture)
        #expect(try registry.rows("SELECT * FROM reclaimable") == [], "nobody has read it yet")
        let reader = try registry.start(describe("distill"), inputs: [("capture", capture)]) { _ in }
        #expect(try registry.rows("SELECT * FROM reclaimable") == [], "somebody is reading it")
        reader.end(finished)
        #expect(
            try registry.rows("SELECT path, kind, bytes, readers FROM reclaimable") == [
                ["toy/capture/encoder", "capture", "1000", "1"]
            ])
        let failed = RunEnding(
            status: .failed, exitCode: 74, error: "disk full", wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1)
        for _ in 0..<2 {
            try registry.record(
                describe("distill", spec: "b", key: "b"), reading: [("capture", capture)], ending: failed)
            #expect(try registry.rows("SELECT * FROM reclaimable") == [], "one that has failed may be given again")
        }
        try registry.record(describe("distill", spec: "b", key: "b"), reading: [("capture", capture)])
        #expect(
            try registry.rows("SELECT readers FROM reclaimable") == [["2"]],
            "it was given again, and those that failed are no readers")
        let late = "UPDATE runs SET started = '2099-01-01T00:00:00.000Z' WHERE status = 'failed'"
        try registry.write { try $0.execute(sql: late) }
        #expect(try registry.rows("SELECT * FROM reclaimable") == [], "they started later, whatever their number")
        try registry.write { try $0.execute(sql: late.replacingOccurrences(of: "2099", with: "2020")) }
        #expect(try registry.rows("SELECT readers FROM reclaimable") == [["2"]])
        try FileManager.default.removeItem(atPath: path)
        try registry.record(describe("train"))
        #expect(try registry.rows("SELECT * FROM reclaimable") == [], "it is gone")
    }

    /// The same capture in two runs: one is done with it, the other has not begun.
    @Test func captureOfARunThatHasNotBegunIsKept() throws {
        for name in ["one", "two"] {
            let path = scratch.folder + "/\(name)/capture/encoder"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try registry.record(describe("capture", name: name), making: artifact("a", kind: "capture", at: path))
        }
        let read = artifact("a", kind: "capture", at: scratch.folder + "/one/capture/encoder")
        try registry.record(describe("distill", name: "one"), reading: [("capture", read)])
        #expect(try registry.rows("SELECT path FROM reclaimable") == [["one/capture/encoder"]])
    }

    @Test func replacedArtifactNoLongerCountsAsThere() throws {
        let path = scratch.folder
        try registry.record(describe("train"), making: artifact("a", kind: "train", at: path))
        try registry.record(describe("train"), making: artifact("b", kind: "train", at: path))
        #expect(try registry.rows("SELECT artifact FROM artifact_paths WHERE removed IS NULL") == [[hash("b")]])
    }
}
