import ArgumentParser
import Foundation
import Tensors
import Testing

@testable import Stages

@Suite struct ArgumentTests {
    private func given(_ words: String...) -> GivenArguments { GivenArguments(words, of: Probe.self) }

    @Test func whatWasTypedIsKnownByItsLongName() throws {
        let arguments = given("--output", "x", "-q", "--steps=3", "--threads", "2")
        #expect(arguments.values == ["--output": ["x"], "--quiet": [], "--steps": ["3"], "--threads": ["2"]])
        #expect(arguments.repeated == [])
    }

    @Test func anOptionGivenTwiceIsRefused() throws {
        #expect(given("--output", "x", "--output=y").repeated == ["--output"])
        #expect(given("-q", "--quiet").repeated == [], "a flag says the same twice")
        #expect(throws: ValidationError.self) {
            try Probe.parse(all: ["--output", "x", "--steps", "1", "--steps", "2"])
        }
    }

    @Test(arguments: ["0", "-1", "9223372036854775807", "nan", "inf", "-inf", "1e300"])
    func aNumberOutOfRangeIsRefused(_ text: String) throws {
        let error = #expect(throws: ValidationError.self) {
            try Probe.parse(all: ["--output", "x", "--threads=\(text)"])
        }
        #expect(error?.message == "--threads must be at least 1 and at most 1024, not \(text)")
    }

    @Test func theEndsOfARangeAreInItOrNot() {
        let (beta, peak, threads) = (
            NumberRange.all["--beta1"]!, NumberRange.all["--peak"]!, NumberRange.all["--threads"]!
        )
        #expect(beta.contains(0) && !beta.contains(1) && !beta.contains(.nan))
        // single precision reads 1, and 0
        #expect(beta.contains(0.9999999) && !beta.contains(0.99999999) && !peak.contains(1e-50))
        #expect(!peak.contains(0) && peak.contains(1e30) && !peak.contains(.infinity))
        // beyond, log P / n^alpha is 0 in single precision
        let penalty = NumberRange.all["--length-penalty"]!
        #expect(penalty.contains(10) && !penalty.contains(30))
        #expect(threads.contains(1) && threads.contains(1024) && !threads.contains(1025))
    }

    @Test func anOptionWithoutEffectIsNamed() {
        let idle = IdleOptions("--beam", because: "x"), all = IdleOptions.allBut("--json", because: "x")
        #expect(idle.among(["--beam", "--json"]) == "--beam" && idle.among(["--json"]) == nil)
        #expect(all.among(["--beam", "--json"]) == "--beam" && all.among(["--json"]) == nil)
    }
}

@Suite struct OutputPlaceTests {
    private let scratch: Scratch

    init() throws { scratch = Scratch() }

    private func run(_ arguments: String..., output: String? = nil) throws {
        var probe = try #require(
            try Probe.parseAsRoot(["--output", output ?? scratch.output, "--quiet"] + arguments) as? Probe)
        try probe.run()
    }

    /// Refused with code 73, and everything is as it was.
    private func expectRefused(_ output: String, _ what: String) throws {
        func contents() throws -> [String] {
            // SQLite's own files beside the registry come and go with its connections
            try FileManager.default.subpathsOfDirectory(atPath: scratch.folder).sorted()
                .filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
        }
        let before = try contents()
        let error = #expect(throws: DataError.self, "\(what)") { try run(output: output) }
        #expect(error?.exitCode == 73, "\(what)")
        #expect(try contents() == before, "\(what)")
    }

    @Test func onlyFoldersOfTheSameStageAreWrittenOver() throws {
        try run()
        try run("--force")
        try FileManager.default.createDirectory(atPath: scratch.folder + "/empty", withIntermediateDirectories: true)
        try run(output: scratch.folder + "/empty")

        // a folder that somebody has half deleted is made whole
        try FileManager.default.removeItem(atPath: scratch.output + "/manifest.json")
        try run()
        #expect(FileManager.default.fileExists(atPath: scratch.output + "/manifest.json"))

        let mine = scratch.folder + "/mine"
        try FileManager.default.createDirectory(atPath: mine, withIntermediateDirectories: true)
        try Data("thesis".utf8).write(to: URL(fileURLWithPath: mine + "/thesis.txt"))
        try expectRefused(mine, "a folder of the user's")
        try Data("{}".utf8).write(to: URL(fileURLWithPath: mine + "/manifest.json"))
        try expectRefused(mine, "a manifest of another kind")
        try expectRefused(scratch.output + "/deeper", "a place within a stage's folder")
        try expectRefused(scratch.folder + "/runs", "the folder above")

        let other = scratch.folder + "/runs/toy/other"
        let options = try StageOptions.parse(["--quiet"])
        try StageRun.perform(StageWork("other", configuration: [1]), options: options, output: other) {
            try $0.publish([1])
        }
        try expectRefused(other, "a folder of another stage")
        try FileManager.default.removeItem(atPath: other + "/manifest.json")
        try Data("kept".utf8).write(to: URL(fileURLWithPath: other + "/kept.txt"))
        try expectRefused(other, "what another stage has left, half deleted")
        // a stage that has failed leaves its lock
        try FileManager.default.removeItem(atPath: other + "/kept.txt")
        try run(output: other)
    }

    @Test func whatIsReadIsNotWrittenOver() throws {
        try run()
        let options = try StageOptions.parse(["--quiet", "--force"])
        let link = scratch.folder + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scratch.output)
        for output in [scratch.output, link] {
            let error = #expect(throws: DataError.self) {
                try StageRun.perform(
                    StageWork("probe", configuration: [1], inputs: [.folder("model", publication(scratch.output))]),
                    options: options, output: output
                ) { try $0.publish([1]) }
            }
            #expect(error?.exitCode == 73 && error?.found.contains("what is read as model") == true)
        }
    }

    @Test func aCheckpointOfOtherSettingsIsRefusedOrDiscardedAloud() async throws {
        await #expect(processExitsWith: .exitCode(143)) { [output = scratch.output as String] in
            Probe.main(["--output", output, "--trouble", "sigterm", "--steps", "9"])
        }
        let refusal = await #expect(processExitsWith: .exitCode(73), observing: [\.standardErrorContent]) {
            [output = scratch.output as String] in Probe.main(["--output", output, "--steps", "7"])
        }
        #expect(errors(of: refusal).contains("found one of others: steps 9 → 7\n"))
        #expect(errors(of: refusal).contains("--discard-checkpoint"))
        let discard = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            [output = scratch.output as String] in
            Probe.main(["--output", output, "--steps", "7", "--discard-checkpoint"])
        }
        #expect(errors(of: discard).contains("warning: discarding a checkpoint of other settings: steps 9 → 7\n"))
        #expect(results(of: discard).contains("counted from 0\n"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.output).sorted() == [
                ".lock", ".made", "manifest.json", "number",
            ])
    }

    @Test func whatWasMadeStaysWhileItsSuccessorFails() async throws {
        try run()
        await #expect(processExitsWith: .exitCode(65)) { [output = scratch.output as String] in
            Probe.main(["--output", output, "--steps", "4", "--trouble", "data"])
        }
        #expect(try FileSystem.read(scratch.output + "/number") == Array("5\n".utf8))
        try run()  // still what this key makes
        #expect(try scratch.rows("SELECT count(*) FROM runs") == [["2"]])
    }

    /// Where what was read comes from goes into the manifest, all the way back.
    @Test func aManifestSaysWhatItsInputsWereMadeFrom() throws {
        let options = try StageOptions.parse(["--quiet"])
        func make(_ stage: String, _ inputs: [StageInput]) throws -> String {
            let folder = scratch.folder + "/runs/toy/" + stage
            let work = StageWork(stage, configuration: [1], inputs: inputs)
            try StageRun.perform(work, options: options, output: folder) { try $0.publish([1]) }
            return folder
        }
        let model = try make("model", []), capture = try make("capture", [.folder("model", publication(model))])
        let network = try make("network", [.folder("capture", publication(capture))])
        let manifest = try PublishedFolder<[Int]>(network).manifest
        #expect(
            manifest.inputs == [
                "capture": try ManifestFile.sha256(folder: capture),
                "capture/model": try ManifestFile.sha256(folder: model),
            ])
    }
}

@Suite struct StandardDescriptorTests {
    @Test func closedOnesAreOpenOnNothing() async throws {
        await #expect(processExitsWith: .success) {
            close(2)
            ThisProcess.prepare()
            var status = stat()
            guard fstat(2, &status) == 0, open("/dev/null", O_RDONLY) > 2 else { exit(1) }
            exit(0)
        }
    }
}
