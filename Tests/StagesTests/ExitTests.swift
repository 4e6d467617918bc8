import Foundation
import Testing

@testable import Registry
@testable import Stages

/// Each `Probe.main` runs in a process of its own.
@Suite struct ExitTests {
    private let scratch: Scratch
    private var output: String { scratch.output }

    init() throws { scratch = Scratch() }

    private static let failures: [(Probe.Trouble, Int32, String)] = [
        (.data, 65, "probe: shard: expected 3 rows, found 2\nhint: make shard\n"),
        (.bug, 70, "probe: odd\n"),
        (.sigterm, 143, "probe: terminated\nhint: start the same command again to go on\n"),
        (.sigint, 130, "probe: interrupted\nhint: start the same command again to go on\n"),
        (.sighup, 129, "probe: stopped by signal 1\nhint: start the same command again to go on\n"),
    ]

    @Test func whatGoesWrongIsToldInOneLineAndAnExitCode() async throws {
        for (trouble, code, message) in Self.failures {
            let result = await #expect(processExitsWith: .exitCode(code), observing: [\.standardErrorContent]) {
                [output = output as String, trouble = trouble.rawValue as String] in
                signal(SIGHUP, SIG_DFL)  // ignored where the tests run under nohup, and then left so
                Probe.main(["--output", output, "--trouble", trouble, "--force", "--steps", "20"])
            }
            #expect(errors(of: result) == message, "\(trouble)")
        }
        #expect(
            try scratch.rows("SELECT status, exit_code, error FROM runs ORDER BY id") == [
                ["failed", "65", "shard: expected 3 rows, found 2"], ["failed", "70", "odd"],
                ["interrupted", "143", "terminated"],
                ["interrupted", "130", "interrupted"], ["interrupted", "129", "stopped by signal 1"],
            ])
        #expect(!FileManager.default.fileExists(atPath: output + "/manifest.json"))
    }

    @Test func foundationsErrorsNameThePath() async throws {
        let result = await #expect(processExitsWith: .exitCode(66), observing: [\.standardErrorContent]) {
            [output = output as String] in
            Probe.main(["--output", output, "--trouble", "foundation"])
        }
        #expect(
            errors(of: result).hasPrefix(
                "probe: /no/file: expected a readable file, found no such file or directory (error 2)"))
    }

    @Test func whatWasTypedWrongIsUsage() async throws {
        await #expect(processExitsWith: .exitCode(64)) { [output = output as String] in
            Probe.main(["--output", output, "--trouble", "usage"])
        }
        await #expect(processExitsWith: .exitCode(64)) { Probe.main(["--output"]) }
        await #expect(processExitsWith: .exitCode(64)) { Probe.main(["--output", "x", "--threads", "0"]) }
        await #expect(processExitsWith: .exitCode(0)) { Probe.main(["--help"]) }
        #expect(try scratch.rows("SELECT status, exit_code FROM runs") == [["failed", "64"]])
    }

    @Test func stoppedRunGoesOnFromItsCheckpoint() async throws {
        await #expect(processExitsWith: .exitCode(143)) { [output = output as String] in
            Probe.main(["--output", output, "--trouble", "sigterm"])
        }
        let second = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [output = output as String] in
            Probe.main(["--output", output])
        }
        #expect(results(of: second).contains("counted from 2\n"))
        #expect(
            try scratch.rows("SELECT status, exit_code, resumed_from FROM runs ORDER BY id")
                == [["interrupted", "143", nil], ["finished", "0", "1"]])
        #expect(!FileManager.default.fileExists(atPath: output + "/.unfinished/checkpoint"))
    }

    @Test func secondSignalEndsTheProcessAtOnce() async throws {
        await #expect(processExitsWith: .exitCode(130)) { [output = output as String] in
            Probe.main(["--output", output, "--trouble", "twice"])
        }
        #expect(!FileManager.default.fileExists(atPath: output + "/.unfinished/checkpoint"))
    }

    /// `timeout` sends its signal to the process and then to its group.
    @Test func theSameWishTwiceStillLeavesACheckpoint() async throws {
        await #expect(processExitsWith: .exitCode(143)) { [output = output as String] in
            signal(SIGHUP, SIG_DFL)
            Probe.main(["--output", output, "--trouble", "doubled"])
        }
        #expect(FileManager.default.fileExists(atPath: output + "/.unfinished/checkpoint"))
    }

    /// Standard error and standard output in a pipe whose reader has gone.
    @Test func nobodyListeningIsNoReasonToStop() async throws {
        await #expect(processExitsWith: .success) { [output = output as String] in
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            dup2(ends[1], STDERR_FILENO)
            dup2(ends[1], STDOUT_FILENO)
            close(ends[0])
            ThisProcess.prepare()
            Probe.main(["--output", output])
        }
        #expect(try scratch.rows("SELECT status FROM runs") == [["finished"]])
    }

    /// It died among the last renames, or its end did not get into the registry, when hours of work were done: nobody
    /// does them again.
    @Test(arguments: [true, false]) func whatHasPublishedHasFinished(diedInBetween: Bool) async throws {
        await #expect(processExitsWith: .success) { [output = output as String] in Probe.main(["--output", output]) }
        let registry = try RunRegistry(path: scratch.registry)
        _ = try registry.write {
            try $0.execute(
                sql: "UPDATE runs SET status = 'lost', exit_code = NULL; DELETE FROM run_io WHERE direction = 'out'")
        }
        if diedInBetween {
            try FileManager.default.createDirectory(atPath: output + "/.unfinished", withIntermediateDirectories: false)
            try FileManager.default.moveItem(
                atPath: output + "/manifest.json", toPath: output + "/.unfinished/manifest.json")
        }
        let second = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            [output = output as String] in
            Probe.main(["--output", output])
        }
        #expect(results(of: second) == "")
        #expect(try scratch.rows("SELECT status, exit_code FROM runs") == [["finished", "0"]])
        #expect(try scratch.rows("SELECT role, direction FROM run_io WHERE direction = 'out'") == [["probe", "out"]])
        #expect(FileManager.default.fileExists(atPath: output + "/manifest.json"))
    }

    /// A disk that fails, or somebody who cuts a file short, under a file that is mapped.
    @Test func aMappedFileThatCannotBeReadIsSaid() async throws {
        let path = scratch.folder + "/mapped"
        let result = await #expect(processExitsWith: .exitCode(74), observing: [\.standardErrorContent]) {
            [path = path as String] in
            ThisProcess.prepare()
            let file = open(path, O_RDWR | O_CREAT, 0o600)
            ftruncate(file, 8192)
            let bytes = mmap(nil, 8192, PROT_READ, MAP_SHARED, file, 0)!
            ftruncate(file, 0)
            exit(Int32(bytes.load(as: UInt8.self)))
        }
        #expect(errors(of: result).contains("a mapped file: expected its bytes, found an input/output error"))
    }

    @Test func processThatWasKilledIsLostAndItsLockFree() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [output = output as String] in
            let options = try StageOptions.parse([])
            try StageRun.perform(StageWork("probe", configuration: ["a": 1]), options: options, output: output) { _ in
                raise(SIGKILL)
            }
        }
        await #expect(processExitsWith: .success) { [output = output as String] in Probe.main(["--output", output]) }
        #expect(try scratch.rows("SELECT status FROM runs ORDER BY id") == [["lost"], ["finished"]])
    }

    @Test func brokenRegistryStopsAStageBeforeItTouchesItsOutput() async throws {
        await #expect(processExitsWith: .success) { [output = output as String] in Probe.main(["--output", output]) }
        let manifest = try Data(contentsOf: URL(fileURLWithPath: output + "/manifest.json"))
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: scratch.folder + "/broken"))
        let result = await #expect(processExitsWith: .exitCode(65), observing: [\.standardErrorContent]) {
            [output = output as String, registry = scratch.folder + "/broken" as String] in
            Probe.main(["--output", output, "--force", "--registry", registry])
        }
        #expect(errors(of: result).contains("broken: the registry is damaged"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: output + "/manifest.json")) == manifest)
    }

    @Test func secondProcessFindsTheFolderLocked() async throws {
        let lock = try FolderLock(output, stage: "probe")
        let result = await #expect(processExitsWith: .exitCode(75), observing: [\.standardErrorContent]) {
            [output = output as String] in
            Probe.main(["--output", output])
        }
        withExtendedLifetime(lock) {}
        #expect(
            errors(of: result) == """
                probe: \(output): locked, process \(getpid()) is writing to it
                hint: wait for it to end, or stop it with: kill \(getpid())

                """)
    }

    @Test func aLockOfAnotherMachineNamesIt() throws {
        let lock = try FolderLock(output, stage: "probe")
        try Data("7 elsewhere\n".utf8).write(to: URL(fileURLWithPath: output + "/.lock"))
        let error = #expect(throws: FolderLock.Held.self) { try FolderLock(output, stage: "probe") }
        withExtendedLifetime(lock) {}
        #expect(error?.description == "\(output): locked, process 7 on elsewhere is writing to it")
        #expect(error?.hint == "wait for it to end")
    }

    /// Between fork and exec a child has a copy of every descriptor.
    @Test func lockEndsWithItsOwnerThoughACopyIsOpen() throws {
        var lock: FolderLock? = try FolderLock(output, stage: "probe")
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let original = try #require(
            open.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0))?.hasSuffix(
                    output + "/.lock") == true
            })
        let copy = dup(try #require(Int32(original)))
        defer { close(copy) }
        #expect(throws: FolderLock.Held.self) { try FolderLock(output, stage: "probe") }
        lock = nil
        #expect(throws: Never.self) { try FolderLock(output, stage: "probe") }
        _ = lock
    }
}
