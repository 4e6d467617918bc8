import Foundation
import Models
import Tensors
import TestSupport
import Testing

@testable import Registry
@testable import report

/// What a report makes of a registry: seeds together, runs apart, and nothing of what has not finished.
@Suite struct EvidenceTests {
    private let root = TemporaryFolder("report")
    private var folder: String { root.path }
    private let registry: RunRegistry
    private static let machine = Machine(host: "here", bootID: "boot", pid: getpid(), blas: "test", cpu: "test")

    init() throws { registry = try RunRegistry(path: root.file("registry.sqlite")) }

    @discardableResult
    private func record(
        _ stage: String, _ spec: String?, _ name: String, reading inputs: [(role: String, artifact: Artifact)] = [],
        configuration: String = "{}", status: RunEnding.Status = .finished, facts: (LiveRun) -> Void = { _ in }
    ) throws -> Int64 {
        let run = try registry.start(description(stage, spec, name, configuration), inputs: inputs) { print($0) }
        facts(run)
        run.output(stage, artifact(run.id))
        run.end(
            RunEnding(
                status: status, exitCode: 0, wallSeconds: 3600, cpuSeconds: 5400, peakResidentBytes: 1 << 30))
        return run.id
    }

    private func description(
        _ stage: String, _ spec: String?, _ name: String, _ configuration: String = "{}"
    ) -> RunDescription {
        RunDescription(
            name: name, stage: stage, spec: spec, keyHash: String(repeating: "0", count: 64),
            configuration: configuration,
            arguments: [stage], version: "1", git: GitState(commit: "abc", isDirty: false), seed: 1, threads: 1,
            machine: Self.machine)
    }

    private func artifact(_ run: Int64) -> Artifact {
        let digits = String(run)
        return Artifact(
            sha256: String(repeating: "a", count: 64 - digits.count) + digits, bytes: 1 << 20, kind: "score",
            path: "\(folder)/\(run)")
    }

    @discardableResult
    private func score(
        _ spec: String, _ bleu: Double, _ name: String, base: Int64? = nil, search: String = "greedy",
        testSet: String = "test", status: RunEnding.Status = .finished, text: String? = nil
    ) throws -> Int64 {
        let reading = base.map { [(role: "base", artifact: artifact($0))] } ?? []
        return try record("score", spec, name, reading: reading, status: status) { run in
            run.param("replaced", spec.hasPrefix("teacher") ? 0 : 6)
            run.param("search", search)
            run.param("parameters", 1000)
            if let text { run.param("test_text", text) }
            run.score(Score(metric: "BLEU", testSet: testSet, value: bleu, signature: "sig", confidence: 1))
        }
    }

    private func evidence(_ names: String...) throws -> Evidence { try Evidence(registry, names) }

    /// What stands in a row of the leaderboard under a heading.
    private func cell(_ board: Leaderboard, _ row: Int, _ title: String) throws -> String {
        board.rows[row].cells[try #require(board.columns.firstIndex { $0.title == title })].text
    }

    /// What is common elsewhere does not hide what the figures' own test set has.
    @Test func searchesAreThoseOfTheFiguresTestSet() throws {
        for (spec, bleu) in [("teacher", 30.0), ("mix-l.cross", 29), ("mix-m.cross", 28)] {
            try score(spec, bleu, "toy")
        }
        for testSet in ["valid", "joined"] {
            for spec in ["teacher.beam-4", "mix-l.cross.beam-4"] {
                try score(spec, 31, "toy", search: "beam-4", testSet: testSet)
            }
        }
        let found = try evidence("toy")
        #expect(found.testSet == "test" && found.searches == ["greedy"])
    }

    @Test func markdownStaysWhatItIs() {
        for length in 100...120 {
            let text = Documentation.wrapped(String(repeating: "x", count: length) + " + decoder - 1 * 2")
            #expect(!text.split(separator: "\n").contains { ["+", "-", "*"].contains($0.first) })
        }
        #expect(Markdown.table([("a", false)], [["x|y"]]).hasSuffix("| x\\|y |"))
    }

    /// Between two marks, and nowhere else; an article without them is left alone.
    @Test func resultsGoIntoTheDocumentation() throws {
        try score("mix-l.cross", 29, "toy", base: try score("teacher", 30, "toy"))
        let article = root.file("Results.md"), head = "# R\n\n\(Documentation.begin)",
            tail = "\(Documentation.end)\nKept.\n"
        try root.write(head + "\nstale\n" + tail, "Results.md")
        try Documentation(evidence("toy"), catalogue: folder).write()
        let text = try String(contentsOfFile: article, encoding: .utf8)
        #expect(text.hasPrefix(head) && text.hasSuffix(tail))
        #expect(!text.contains("stale") && text.contains("| cross | `mix-l` |"))
        try root.write("no marks", "Results.md")
        #expect(throws: DataError.self) { try Documentation(evidence("toy"), catalogue: folder).write() }
        #expect(try String(contentsOfFile: article, encoding: .utf8) == "no marks")
    }

    /// Figures compare like with like: two runs that cut their test texts differently have two test sets of one name.
    @Test func testSetsOfOneNameAndOtherTextsAreTwo() throws {
        for (name, text) in [("large", "1a and 2b"), ("small", "3c and 4d")] {
            let base = try score("teacher", 30, name, text: text)
            try score("mix-l.cross", 29, name, base: base, text: text)
        }
        try score("mix-m.cross", 28, "large", text: "1a and 2b")
        let evidence = try evidence("large", "small")
        #expect(Set(evidence.groups.map(\.testSet)) == ["test (1a and 2b)", "test (3c and 4d)"])
        #expect(evidence.testSet == "test (1a and 2b)" && evidence.replaced.allSatisfy { $0.series == "large" })
        try score("mix-s.cross", 27, "small")
        #expect(try Set(self.evidence("small").groups.map(\.testSet)) == ["test"], "one early score told nothing")
    }

    @Test func seedsBecomeMeanAndStandardDeviation() throws {
        for (seed, teacher, model) in [(1, 30.0, 28.0), (2, 32, 31), (3, 34, 31)] {
            let base = try score("teacher", teacher, "toy.seed-\(seed)")
            try score("mix-l.cross", model, "toy.seed-\(seed)", base: base)
        }
        let evidence = try evidence("toy.seed-2", "toy.seed-1", "toy.seed-3")
        #expect(evidence.title == "toy")
        #expect(!evidence.hasSeveralSeries)
        #expect(evidence.groups.map(\.first.model) == ["teacher", "mix-l.cross"])
        let group = try #require(evidence.replaced.first)
        #expect(group.members.map(\.name) == ["toy.seed-2", "toy.seed-1", "toy.seed-3"], "as they were given")
        #expect(group.mean(\.bleu) == 30)
        #expect(abs(try #require(group.spread(\.bleu)) - 3.0.squareRoot()) < 1e-12)
        #expect(group.mean(\.difference) == -2)
        #expect(group.spread(\.difference) == 1)
        let bounds = try DifferenceInterval(group, evidence)
        #expect((bounds.low, bounds.high) == (-3, -1))
        let board = Leaderboard(evidence)
        #expect(try cell(board, 1, "BLEU") == "30.00")
        #expect(try cell(board, 1, "± sd") == "1.73 (3)")
        #expect(try cell(board, 1, "Difference") == "−2.00")
        #expect(try cell(board, 1, "p") == "", "the mean of several p would be none")
    }

    @Test func aModelThatOneSeedLacksIsOfFewer() throws {
        for seed in 1...2 { try score("teacher", 30, "toy.seed-\(seed)") }
        try score("mix-l.cross", 28, "toy.seed-2", base: 1)
        let evidence = try evidence("toy.seed-1", "toy.seed-2")
        #expect(evidence.teachers.map(\.members.count) == [2])
        #expect(evidence.replaced.map(\.members.count) == [1])
        #expect(evidence.replaced[0].spread(\.bleu) == nil)
        #expect(Phrasing.runs(evidence.teachers + evidence.replaced) == "2 models, 1 or 2 runs each.")
    }

    @Test func seedsAreOrderedByTheirMean() throws {
        for (seed, first, second) in [(1, 30.0, 36.0), (2, 40, 36)] {
            try score("mix-m.cross", first, "toy.seed-\(seed)")
            try score("mix-l.cross", second, "toy.seed-\(seed)")
        }
        let evidence = try evidence("toy.seed-1", "toy.seed-2")
        #expect(evidence.groups.map(\.first.model) == ["mix-l.cross", "mix-m.cross"])
    }

    /// Of 10,000 resamples p may be too small for three decimals, and then it is not nothing.
    @Test func smallPAndOtherSearchesAreSaid() throws {
        let base = try score("teacher", 30, "toy")
        let model = try score("mix-l.cross", 20, "toy", base: base, search: "greedy.int8")
        let run = try registry.start(description("score", "alr-m.cross", "toy"), inputs: [("base", artifact(base))]) {
            print($0)
        }
        run.param("search", "greedy")
        run.score(Score(metric: "BLEU", testSet: "test", value: 10, signature: "sig"))
        run.significance(
            Significance(
                base: artifact(base).sha256, metric: "BLEU", testSet: "test", method: "bootstrap", trials: 10_000,
                seed: 1, p: 0.0001))
        run.output("score", artifact(run.id))
        run.end(
            RunEnding(status: .finished, exitCode: 0, wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1))
        let board = Leaderboard(try evidence("toy"))
        #expect(board.rows.map(\.run) == [base, model, run.id])
        #expect(try cell(board, 1, "Difference") == "−10.00 to greedy")
        #expect(try cell(board, 2, "Difference") == "−20.00")
        #expect(try cell(board, 2, "p") == "<0.001")
    }

    @Test func modelsOfSomeLayersAreNotOfAll() throws {
        for spec in ["alr-s.encoder", "alr-s.encoder.0", "alr-s.encoder.0+alr-s.encoder.1"] {
            try score(spec, 20, "toy")
        }
        let paper = try PaperComparison(evidence("toy"))
        #expect(
            paper.results.map { "\($0.experiment): \($0.network)" } == [
                "Encoder self-attention, all layers: alr-s at encoder", "Some of the layers: alr-s at encoder 0",
                "Some of the layers: alr-s at encoder 0 1",
            ])
        #expect(paper.setup.first { $0.what == "Sentences" }?.here.hasPrefix("length not recorded;") == true)
    }

    @Test func runsOfOtherNamesStandApart() throws {
        for name in ["a", "b.seed-1", "b.seed-2"] {
            let base = try score("teacher", 30, name)
            try score("mix-l.cross", 29, name, base: base)
            try score("mix-l.cross", 28, name, search: "beam 4")
        }
        let evidence = try evidence("a", "b.seed-1", "b.seed-2")
        #expect(evidence.title == "a, b")
        #expect(evidence.hasSeveralSeries)
        #expect(evidence.groups.count == 6)
        #expect(evidence.searches == ["greedy", "beam 4"])
        let greedy = evidence.replaced.filter { $0.search == "greedy" }
        #expect(greedy.map(evidence.label) == ["a: mix-l", "b: mix-l"])
        #expect(greedy.map(\.members.count) == [1, 2])
    }

    @Test func familyIsTheNameWithoutItsSeed() {
        #expect(ScoreGroup.series("toy.seed-12") == "toy")
        #expect(ScoreGroup.series("toy.seed-x") == "toy.seed-x")
        #expect(ScoreGroup.series("toy") == "toy")
        #expect(ScoreGroup.series("a.seed-1.seed-2") == "a.seed-1")
    }

    @Test func whatHasNotFinishedHasNoRow() throws {
        try score("teacher", 30, "toy")
        try score("mix-l.cross", 29, "toy", status: .failed)
        try record("distill", "mix-l.cross", "toy", status: .interrupted)
        let evidence = try evidence("toy")
        #expect(evidence.groups.count == 1)
        #expect(evidence.runs.map(\.status) == ["finished", "failed", "interrupted"])
        #expect(evidence.finished("distill").isEmpty)
        #expect(try Distillations(evidence).networks.isEmpty)
        // but what they cost was spent
        let costs = Costs(evidence)
        #expect(costs.stages.map(\.name) == ["distill", "score"])
        #expect(costs.stages.map(\.runs) == [1, 2])
        #expect(costs.stages.map(\.hours) == [1, 2])
        #expect(costs.stages.map(\.processorHours) == [1.5, 3])
    }

    /// Where there was nothing to validate on, networks were distilled all the same.
    @Test func networksThatNobodyValidatedAreNotDrawn() throws {
        try record("distill", "alr-h8.encoder", "toy") { $0.metric("layer.0.train.loss", step: 1, 0.5) }
        #expect(try Distillations(evidence("toy")).networks.isEmpty)
        try record("distill", "alr-h8.cross", "toy") { run in
            for key in ["loss", "explained"] { run.metric("layer.0.valid.\(key)", step: 1, 0.5) }
        }
        #expect(try Distillations(evidence("toy")).networks.map(\.label) == ["alr-h8"])
    }

    @Test func aDeletedScoreIsNoResult() throws {
        let path = folder + "/toy/score/teacher"
        let run = try registry.start(description("score", "teacher", "toy"), inputs: []) { print($0) }
        run.score(Score(metric: "BLEU", testSet: "test", value: 30))
        run.output("score", Artifact(sha256: String(repeating: "b", count: 64), bytes: 1, kind: "score", path: path))
        run.end(RunEnding(status: .finished, exitCode: 0, wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1))
        #expect(try evidence("toy").groups.count == 1, "a registry without its runs")
        try FileManager.default.createDirectory(atPath: folder + "/toy", withIntermediateDirectories: true)
        #expect(try evidence("toy").groups.isEmpty, "deleted from a run that is there")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        #expect(try evidence("toy").groups.count == 1)
    }

    @Test func theNewestOfEachSpecCounts() throws {
        try record("distill", "mix-l.cross", "toy")
        let second = try record("distill", "mix-l.cross", "toy")
        let other = try record("distill", "mix-l.encoder", "toy")
        #expect(try evidence("toy").finished("distill").map(\.id) == [second, other])
    }

    @Test func nothingAtAll() throws {
        let evidence = try evidence("toy")
        #expect(evidence.groups.isEmpty && evidence.runs.isEmpty && evidence.testSet == nil)
        #expect(Leaderboard(evidence).terminal == "")
        #expect(throws: (any Error).self) { try evidence.requireRuns("registry.sqlite") }
    }

    /// Scores beside a teacher that has been made anew since are no results beside those of the new one.
    @Test func scoresOfAnEarlierTeacherAreLeftOut() throws {
        let place = folder + "/elsewhere/train"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        func train(_ digit: String) throws -> Artifact {
            let made = Artifact(sha256: String(repeating: digit, count: 64), bytes: 1, kind: "train", path: place)
            let run = try registry.start(description("train", nil, "toy")) { print($0) }
            run.output("train", made)
            run.end(RunEnding(status: .finished, exitCode: 0, wallSeconds: 1, cpuSeconds: 1, peakResidentBytes: 1))
            return made
        }
        func teacherScore(_ teacher: Artifact) throws -> Int64 {
            try record("score", "teacher", "toy", reading: [(role: "model", artifact: teacher)]) { run in
                run.param("replaced", 0)
                run.param("search", "greedy")
                run.score(Score(metric: "BLEU", testSet: "test", value: 30, signature: "sig"))
            }
        }
        let first = try teacherScore(train("e"))
        try score("mix-l.cross", 29, "toy", base: first)
        #expect(try evidence("toy").outdated.isEmpty && evidence("toy").leftOut == nil)

        let second = try train("f"), alone = try evidence("toy")
        #expect(alone.groups.isEmpty && alone.outdated.map(\.model) == ["teacher", "mix-l.cross"])
        let page = try Page(alone, figures: []).html
        #expect(page.contains("Scores beside an earlier teacher are left out (2), such as toy/teacher;"))
        #expect(!page.contains("has been scored yet"))

        _ = try teacherScore(second)
        let both = try evidence("toy")
        #expect(both.groups.map(\.first.model) == ["teacher"] && both.outdated.map(\.model) == ["mix-l.cross"])
        #expect(try Page(both, figures: []).html.contains("are left out (1), such as toy/mix-l.cross;"))
    }

    /// A page is made of whatever there is: every figure is drawn or says why it is not.
    @Test func aRunWithoutScoresHasAPage() throws {
        try record("tokenize", nil, "toy")
        let evidence = try evidence("toy")
        let plots = try Figures(evidence).plots
        let absent = plots.compactMap { plot in
            if case .absent(let title, let reason) = plot { "\(title): \(reason)" } else { nil }
        }
        #expect(absent.contains { $0.hasPrefix("BLEU difference") })
        #expect(absent.contains { $0.hasPrefix("Which tokens are read") && $0.contains("MAPS=3") })
        let page = try Page(evidence, figures: [])
        #expect(page.html.contains("No model of these runs has been scored yet."))
    }

    @Test func lineageLeadsBackToTheText() throws {
        let tokens = try record("tokenize", nil, "toy")
        let teacher = try record("train", nil, "toy", reading: [(role: "tokens", artifact: artifact(tokens))])
        let row = try record("score", "teacher", "toy", reading: [(role: "model", artifact: artifact(teacher))]) {
            run in
            run.param("replaced", 0)
            run.param("search", "greedy")
            run.score(Score(metric: "BLEU", testSet: "test", value: 30))
        }
        let lineage = try Lineage(try evidence("toy"))
        #expect(lineage.rows.map(\.run) == [row])
        #expect(lineage.rows[0].steps.map(\.run) == [tokens, teacher, row])
        #expect(lineage.runs.map(\.title) == ["tokenize", "train", "score teacher"])
        #expect(lineage.commits == ["tokenize 1, commit abc", "train 1, commit abc", "score 1, commit abc"])
    }

    @Test func aModelThatKeptItsAttentionsIsNoSecondTeacher() throws {
        let base = try score("teacher", 30, "toy")
        try score("teacher.int8", 29, "toy", base: base, search: "greedy.int8")
        try record("score", "greedy", "toy", reading: [(role: "base", artifact: artifact(base))]) { run in
            run.param("replaced", 0)
            run.param("search", "greedy")
            run.score(Score(metric: "BLEU", testSet: "test", value: 30, signature: "sig"))
        }
        let evidence = try evidence("toy")
        #expect(Set(evidence.teachers.map(\.first.model)) == ["teacher", "teacher.int8"])
        #expect(evidence.replaced.map(\.first.model) == ["greedy"])
    }

    @Test func theSetUpSaysHowTheTeacherWasTrained() throws {
        let configuration = """
            {"preset": "small", "values": {
              "model": {"encoderLayers": 6, "decoderLayers": 5, "width": 128, "heads": 8, "residualDropout": 0.5,
                "tying": "all"},
              "teacher": {"batchTokens": 500},
              "training": {"epochs": 4, "schedule": {"shape": "cosine", "peak": 0.0025}}}}
            """
        let text =
            "6 + 5 layers, d = 128, 8 heads, dropout 0.5, tied: all, cosine schedule, peak rate 0.0025, batches of 500 "
            + "target tokens, 4 epochs at most (preset small)"
        func teacher() throws -> String? {
            try PaperComparison(evidence("toy")).setup.first { $0.what == "Teacher" }?.here
        }
        let first = try record("train", nil, "toy", configuration: configuration)
        #expect(try teacher() == text)
        let start = Artifact(
            sha256: artifact(first).sha256, bytes: 1, kind: "train", path: folder + "/short/train")
        try record("train", nil, "toy", reading: [(role: "model", artifact: start)], configuration: configuration)
        #expect(try teacher() == text + ", trained further from short/train")
    }

    // MARK: - Maps

    @Test func aNameSaysWhatStandsWhere() {
        let name = ModelName("mix-l.encoder+mix-l.decoder.inplace.beam-4.int8.joined-2")
        #expect(name.specs.count == 2 && name.isInPlace)
        #expect(name.text == "mix-l.encoder+mix-l.decoder.inplace" && name.network == "mix-l, in place")
        #expect(ModelName("teacher.beam-4").text == "teacher" && ModelName("greedy").specs.isEmpty)
        #expect(ModelName("mix-l.encoder+mix-l.decoder+alr-s.crossfull").places == "all attentions")
        #expect(
            ModelName("mix-l.encoder.1+mix-l.encoder.0+mix-l.decoder.0+mix-l.cross.0").places
                == "encoder 0 1 + decoder 0 + cross 0", "four of eighteen")
        #expect(ModelName("mix-l.cross.3").places == "cross 3", "a layer is said wherever a place is")
        #expect(ModelName("mix-l.encoder+mix-l.cross.inplace").network == "mix-l, in place")
        #expect(ModelName("mix-m.encoder+mix-m.decoder+mix-l.cross").networks == "mix-m/mix-m/mix-l")
        #expect(ModelName("mix-m.encoder+mix-l.decoder+mix-l.cross").networks == "mix-m/mix-l/mix-l")
    }

    /// What the score has recorded stands above what its folder is called.
    @Test func aScoreSaysWhatStandsWhere() {
        let greedy = ModelName("greedy.beam-4", networks: "mix-s.encoder.0+mix-l.cross.0+mix-l.cross.2")
        #expect(greedy.text == "greedy" && greedy.places == "encoder 0 + cross 0 2")
        #expect(greedy.network == "mix-s/mix-l, greedy")
        let everywhere = "mix-l.encoder+mix-l.decoder+mix-l.cross"
        let stepwise = ModelName(everywhere + ".stepwise", networks: everywhere)
        #expect(stepwise.network == "mix-l, stepwise" && stepwise.places == "all attentions" && !stepwise.isInPlace)
        let own = ModelName("mine", networks: everywhere, isInPlace: true)
        #expect(own.network == "mix-l, in place, mine" && own.places == "all attentions")
        #expect(ModelName("mix-m.cross", networks: "mix-s.cross").network == "mix-s", "a name that is not true")
        let teacher = ModelName("mix-l.cross", networks: "")
        #expect(teacher.specs.isEmpty && teacher.remark == nil)
    }

    @Test func overlapOfMaps() {
        let a = PlaceMap(outputs: 2, read: 2, values: [1, 0, 0.25, 0.75])
        let b = PlaceMap(outputs: 2, read: 2, values: [1, 0, 0.75, 0.25])
        #expect(a.overlap(a, isCausal: false) == 1)
        #expect(a.overlap(b, isCausal: false) == 0.75)
        #expect(a.overlap(b, isCausal: true) == 0.5, "the first row has one token and says nothing")
        #expect(
            PlaceMap(outputs: 2, read: 1, values: [1, 1]).overlap(
                .init(outputs: 2, read: 1, values: [1, 1]), isCausal: false) == nil)
        #expect(a.sharpness == 0.875)
    }
}
