import Corpus
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Stages

@Suite struct RunTests {
    private let scratch: Scratch

    init() throws { scratch = Scratch() }

    private func run(_ arguments: String...) throws {
        var probe = try #require(try Probe.parseAsRoot(["--output", scratch.output, "--quiet"] + arguments) as? Probe)
        try probe.run()
    }

    private func age(_ path: String) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: path)
    }

    private func modified(_ path: String) throws -> Date {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
    }

    @Test func runRecordsItself() throws {
        try run("--threads", "3")
        #expect(
            try scratch.rows(
                "SELECT name, stage, spec, status, version, seed, threads, pid, exit_code, config FROM runs") == [
                    [
                        "toy", "probe", "alr-m.encoder.0", "finished", Program.version(of: "toy"), "5", "3",
                        "\(getpid())",
                        "0", "{\"steps\":5}",
                    ]
                ])
        #expect(
            try scratch.rows("SELECT step, value FROM metrics") == [
                ["0", "0.0"], ["1", "1.0"], ["2", "2.0"], ["3", "3.0"], ["4", "4.0"],
            ])
        #expect(try scratch.rows("SELECT key, value FROM params") == [["steps", "5"]])
        #expect(
            try scratch.rows("SELECT path, kind FROM artifact_paths JOIN artifacts ON sha256 = artifact") == [
                ["toy/probe", "probe"]
            ])
        #expect(
            try scratch.rows(
                "SELECT count(*) FROM runs WHERE length(boot_id) > 8 AND blas IN ('x86-64-v4', 'x86-64-v3', 'portable') AND peak_rss_bytes > 1000000 AND cpu_seconds > 0"
            ) == [["1"]])
    }

    @Test func completeOutputIsNotMadeAgainButLooksNew() throws {
        let manifest = scratch.output + "/manifest.json"
        try run()
        try age(manifest)
        try run("--threads", "7")
        #expect(try scratch.rows("SELECT count(*) FROM runs") == [["1"]])
        #expect(try modified(manifest).timeIntervalSinceNow > -100, "Make must see it as newer than its inputs")
        try run("--force")
        try run("--steps", "4")
        #expect(try scratch.rows("SELECT count(*) FROM runs") == [["3"]])
    }

    @Test func damagedOutputIsMadeAgain() throws {
        try run()
        try Data().write(to: URL(fileURLWithPath: scratch.output + "/number"))
        try run()
        #expect(try scratch.rows("SELECT count(*) FROM runs") == [["2"]])
        #expect(try scratch.rows("SELECT * FROM not_reproducible") == [])
    }

    @Test func inputsAreNamedByContentAndListedInTheManifest() throws {
        try run()
        let file = scratch.folder + "/text"
        try Data("abc".utf8).write(to: URL(fileURLWithPath: file))
        let options = try StageOptions.parse(["--quiet"])
        let output = scratch.folder + "/runs/toy/next"
        try StageRun.perform(
            StageWork(
                "next", configuration: ["a": 1],
                inputs: [.folder("number", publication(scratch.output)), .file(InputFiles().open("text", file))]),
            options: options, output: output
        ) { try $0.publish(["a": 1]) }
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(
            try scratch.rows(
                "SELECT role, kind, bytes FROM run_io JOIN artifacts ON sha256 = artifact WHERE direction = 'in' ORDER BY role"
            ) == [["number", "probe", "2"], ["text", "file", "3"]])
        #expect(try scratch.rows("SELECT artifact FROM run_io WHERE role = 'text'") == [[sha]])
        #expect(
            try String(contentsOfFile: output + "/manifest.json", encoding: .utf8).contains("\"text\" : \"\(sha)\""))
        #expect(try scratch.rows("SELECT stage FROM lineage WHERE run = 2 AND depth = 1") == [["probe"], [nil]])
    }

    @Test func locationFollowsTheFolder() {
        #expect(
            RunLocation(output: "/a/runs/x/train", stage: "train")
                == RunLocation(output: "/a/runs/x/train/", stage: "train"))
        let deep = RunLocation(output: "/a/runs/x/distill/alr-m.encoder.0", stage: "distill")
        #expect(deep.name == "x")
        #expect(deep.registry == "/a/runs/registry.sqlite")
        let inPlace = RunLocation(output: "/a/runs/x/inplace/mix-l.cross", stage: "train")
        #expect(inPlace.name == "x" && inPlace.registry == "/a/runs/registry.sqlite")
        let twice = RunLocation(output: "/train/runs/x/train", stage: "train")
        #expect(twice.registry == "/train/runs/registry.sqlite")
        let odd = RunLocation(output: "/a/model", stage: "train")
        #expect(odd.name == "model")
        #expect(odd.registry == "/a/registry.sqlite")
        // of a run that has a history already, which is not begun a second time
        let room = Scratch(), beneath = room.folder + "/x/train4"
        #expect(RunLocation(output: beneath, stage: "train").registry == room.folder + "/x/registry.sqlite")
        FileManager.default.createFile(atPath: room.folder + "/registry.sqlite", contents: Data())
        #expect(RunLocation(output: beneath, stage: "train").registry == room.folder + "/registry.sqlite")
        let unlucky = RunLocation(output: "/a/train/exp1/deep", stage: "train")
        #expect(unlucky == RunLocation(output: "/a/train/exp1/deep/", stage: "train"))
        #expect(
            unlucky.name == "deep" && unlucky.registry == "/a/train/exp1/registry.sqlite",
            "a folder above is no stage's")
        #expect(
            RunLocation(output: "~/x", stage: "train").registry == FilePath.absolute("~/registry.sqlite"),
            "nothing is expanded")
    }
}

@Suite struct RunKeyTests {
    private func hash(
        _ configuration: String = #"{"rate":0.1,"layers":[1,2]}"#, stage: String = "train", revision: Int = 1,
        spec: String? = "a",
        seed: UInt64? = 1, inputs: [(String, String)] = [("source", "1"), ("target", "2")]
    ) throws -> String {
        try RunKey(
            stage: stage, revision: revision, spec: spec, seed: seed, configuration: Data(configuration.utf8),
            inputs: inputs.map { (role: $0.0, sha256: $0.1) }
        ).hash()
    }

    @Test func whatMustNotMatterDoesNot() throws {
        let plain = try hash()
        #expect(plain.count == 64)
        #expect(try hash(#"{"layers":[1,2],"rate":0.1}"#) == plain, "order of members")
        #expect(try hash(inputs: [("target", "2"), ("source", "1")]) == plain, "order of inputs")
    }

    @Test func whatMattersDoes() throws {
        let all = try [
            hash(), hash(#"{"rate":0.2,"layers":[1,2]}"#), hash(#"{"rate":0.1,"layers":[2,1]}"#),
            hash(#"{"rate":0.1,"layers":[1,2],"x":1}"#),
            hash(#"{"rate":0.1,"layers":[1,2],"profile":1,"threads":2}"#), hash(stage: "distill"), hash(revision: 2),
            hash(spec: nil), hash(spec: "b"), hash(seed: 2), hash(seed: nil),
            hash(inputs: [("source", "2"), ("target", "1")]), hash(inputs: [("source", "1")]), hash(inputs: []),
        ]
        #expect(Set(all).count == all.count)
    }

    /// Keys are compared across versions of this code: the text that is hashed must not drift.
    /// `printf '%s' '{"configuration":{"a":1},"inputs":["x=y"],"revision":1,"seed":"1","spec":null,"stage":"train"}' |
    /// sha256sum`
    @Test func hashIsThatOfTheDocumentedText() throws {
        #expect(
            try hash(#"{"a":1}"#, spec: nil, inputs: [("x", "y")])
                == "7a00d1fe58614e2fa8789de7e6c60a2a582a4369c969d3ba80c9cdfd4905628e")
    }
}

/// Published by a program that is no run, and by runs alike: what is on its way out stays until it is out.
@Suite struct FailedPublishTests {
    private struct Settings: Codable {}

    @Test func aPublishThatFailsHalfWayIsEndedByWhoeverComesNext() throws {
        let root = TemporaryFolder("publish"), output = root.file("report")
        func publish(_ text: String, obstructed: Bool = false) throws {
            try UnrecordedOutput.publish(output, stage: "report", configuration: Settings()) { folder in
                for name in ["a", "b"] { try FileSystem.writeAtomically(Data(text.utf8), to: folder.path(name)) }
                guard obstructed else { return }
                try FileSystem.remove(output + "/b")
                try FileSystem.makeFolder(output + "/b/obstacle")  // no file can be moved to where a folder is
            }
        }
        try publish("old")
        #expect(throws: DataError.self) { try publish("new", obstructed: true) }
        #expect(!ManifestFile.exists(in: output))
        try FileSystem.removeFolder(output + "/b")
        _ = try OutputFolder(output)
        for name in ["a", "b"] { #expect(try FileSystem.read(output + "/" + name) == Array("new".utf8)) }
        #expect(try ManifestFile.stage(folder: output) == "report")
    }
}
