import Dispatch
import Foundation
import Tensors
import Testing

@testable import Registry

@Suite struct MergingTests {
    private let scratch: Scratch

    init() throws { scratch = Scratch() }

    private func registry(_ name: String) throws -> RunRegistry {
        try RunRegistry(path: scratch.folder + "/\(name)/registry.sqlite")
    }

    /// A teacher, and a score of it, in a registry of their own; the pids tell them apart.
    private func fill(_ registry: RunRegistry, pid: Int32, artifact name: String) throws {
        var train = describe("train", spec: "teacher"), score = describe("score")
        (train.machine.pid, score.machine.pid) = (pid, pid)
        train.folder = folder(of: registry) + "/toy/train"
        let first = try registry.start(train) { _ in }
        first.param("width", 64)
        first.metric("loss", step: 1, Double(pid))
        first.output("train", artifact(name, kind: "train"))
        first.end(finished)
        let second = try registry.start(score, inputs: [("model", artifact(name, kind: "train"))]) { _ in }
        second.end(finished)
    }

    private func folder(of registry: RunRegistry) -> String { (registry.path as NSString).deletingLastPathComponent }

    /// Its runs go on writing while they are taken over.
    @Test func theOtherRegistryIsNotLockedForWriting() throws {
        let all = try registry("all"), part = try registry("part")
        try fill(part, pid: 100, artifact: "a")
        let fresh = try part.write { _ in try all.merge(part) }
        #expect(fresh == 2)
        #expect(try all.rows("SELECT count(*) FROM runs") == [["2"]])
    }

    @Test func runsComeTogetherOnce() throws {
        let all = try registry("all"), parts = try (1...3).map { try registry("part\($0)") }
        for (index, part) in parts.enumerated() {
            try fill(part, pid: Int32(100 + index), artifact: ["a", "b", "c"][index])
        }
        try fill(all, pid: 99, artifact: "d")
        for part in parts { #expect(try all.merge(part) == 2) }
        let counts = "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM metrics), (SELECT count(*) FROM run_io)"
        let expected: [[String?]] = [["8", "4", "8"]]
        #expect(try all.rows(counts) == expected)
        for part in parts { #expect(try all.merge(part) == 0) }
        #expect(try all.rows(counts) == expected)
        // each score still reads what the training of its own registry made
        let lineage = try all.rows(
            """
            SELECT reader.pid = writer.pid FROM run_io used JOIN run_io made ON made.artifact = used.artifact
              JOIN runs reader ON reader.id = used.run JOIN runs writer ON writer.id = made.run
            WHERE used.direction = 'in' AND made.direction = 'out'
            """)
        #expect(lineage == [["1"], ["1"], ["1"], ["1"]])
        #expect(try all.rows("SELECT value FROM metrics JOIN runs ON run = id WHERE pid = 102") == [["102.0"]])
        let folders = try all.rows("SELECT folder FROM runs WHERE stage = 'train' ORDER BY pid").map { $0[0]! }
        #expect(folders[0] == "toy/train" && folders[1] == folder(of: parts[0]) + "/toy/train")
    }

    /// A run that was merged while it was at work is brought up to date by the next merge.
    @Test func aRunThatWentOnIsBroughtUpToDate() throws {
        let all = try registry("all"), part = try registry("part")
        let run = try part.start(describe("train")) { _ in }
        #expect(try all.merge(part) == 1)
        #expect(try all.rows("SELECT status FROM runs") == [["running"]])
        run.metric("loss", step: 3, 0.5)
        run.end(finished)
        #expect(try all.merge(part) == 0)
        #expect(try all.rows("SELECT status, value FROM runs JOIN metrics ON run = id") == [["finished", "0.5"]])
    }

    /// What an earlier copy of a registry knows of a run is not put over what is known here.
    @Test func anEarlierCopyChangesNothing() throws {
        let all = try registry("all"), part = try registry("part"), copy = try registry("copy")
        let run = try part.start(describe("train")) { _ in }
        #expect(try copy.merge(part) == 1)
        usleep(2000)  // times are in milliseconds
        run.end(finished)
        #expect(try all.merge(part) == 1 && all.merge(copy) == 0)
        #expect(try all.rows("SELECT status FROM runs") == [["finished"]])
    }

    /// Nor what it knows just as well, such as where a run's folder was when it was copied; nor a run that was taken
    /// for lost here, and was at work when it was copied.
    @Test func aCopyAsOldChangesNothing() throws {
        let all = try registry("all"), copy = try registry("copy")
        try fill(all, pid: 1, artifact: "a")
        let run = try all.start(describe("train")) { _ in }
        #expect(try copy.merge(all) == 3)
        try all.write {
            try $0.execute(sql: "UPDATE runs SET status = 'lost', ended = heartbeat WHERE id = \(run.id)")
        }
        try copy.write { try $0.execute(sql: "UPDATE runs SET folder = '/backup/toy/train' WHERE folder IS NOT NULL") }
        let known = try all.rows("SELECT * FROM runs ORDER BY id")
        #expect(try all.merge(copy) == 0)
        #expect(try all.rows("SELECT * FROM runs ORDER BY id") == known)
        run.end(finished)
    }

    /// The last run of a key is the one that started last, not the one that was merged last.
    @Test func whatWasMergedLastIsNotWhatRanLast() throws {
        let all = try registry("all"), part = try registry("part")
        try part.record(describe("train", key: "1"), making: artifact("b", kind: "train"))
        usleep(2000)  // times are in milliseconds
        try all.record(describe("train", key: "1"), making: artifact("a", kind: "train"))
        #expect(try all.merge(part) == 1)
        #expect(try all.hasMade(hash("a"), keyHash: hash("1")))
    }

    /// Nor does it bring back what has been replaced since: a place holds what was seen there last.
    @Test func anEarlierCopyBringsNoReplacedPathBack() throws {
        let all = try registry("all"), copy = try registry("copy")
        try all.record(describe("capture"), making: artifact("a", kind: "capture", at: "/x/capture"))
        #expect(try copy.merge(all) == 1)
        usleep(2000)  // times are in milliseconds
        try all.record(describe("capture"), making: artifact("b", kind: "capture", at: "/x/capture"))
        let paths = "SELECT substr(artifact, -1), removed IS NULL FROM artifact_paths ORDER BY artifact"
        let expected: [[String?]] = [["a", "0"], ["b", "1"]]
        #expect(try all.rows(paths) == expected)
        #expect(try all.merge(copy) == 0 && all.rows(paths) == expected)
        #expect(try copy.merge(all) == 1 && copy.rows(paths) == expected)
    }

    /// Runs that went on from one another do so here, under other numbers.
    @Test func runsGoOnFromTheSameRuns() throws {
        let all = try registry("all"), part = try registry("part")
        try fill(all, pid: 1, artifact: "a")
        var first = describe("train"), second = first
        (first.machine.pid, second.machine.pid) = (10, 11)
        let id = try part.record(first)
        try part.record(second) { $0.resumed(from: id) }
        #expect(try all.merge(part) == 2)
        let pids = "SELECT later.pid, earlier.pid FROM runs later JOIN runs earlier ON earlier.id = later.resumed_from"
        #expect(try all.rows(pids) == [["11", "10"]])
    }

    /// One registry by two names is one.
    @Test func aRegistryIsNotMergedIntoItself() throws {
        let all = try registry("all")
        try fill(all, pid: 1, artifact: "a")
        let folders = try all.rows("SELECT folder FROM runs UNION SELECT path FROM artifact_paths")
        for name in ["/link.sqlite", "/all/link.sqlite"] {
            try FileManager.default.createSymbolicLink(
                atPath: scratch.folder + name, withDestinationPath: scratch.folder + "/all/registry.sqlite")
            #expect(try all.merge(RunRegistry(path: scratch.folder + name)) == 0)
        }
        #expect(try all.rows("SELECT folder FROM runs UNION SELECT path FROM artifact_paths") == folders)
    }

    /// The fault is that of the other registry, by name, and nothing of it is here.
    @Test(arguments: [
        ("DELETE FROM runs WHERE id = 1", "rows of [a-z_]+ belong to runs that are not there"),
        ("DELETE FROM artifacts", "belong to artifacts that are not there"),
        ("UPDATE runs SET resumed_from = 77 WHERE id = 1", "rows of runs belong to runs"),
        ("DROP TABLE scores", "no table 'scores'"),
        ("UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'params'", "damaged"),
    ])
    func aDamagedRegistryIsRefused(_ damage: String, _ expected: String) throws {
        let all = try registry("all"), part = try registry("part")
        try fill(part, pid: 1, artifact: "a")
        _ = try part.access { database in
            try database.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON; \(damage)")
        }
        let damaged = try RunRegistry(path: part.path)
        #expect { try all.merge(damaged) } throws: { error in
            let text = "\(error)"
            return (error as? RegistryError)?.exitCode == 65 && text.hasPrefix(part.path)
                && text.range(of: expected, options: .regularExpression) != nil
        }
        #expect(try all.rows("SELECT count(*) FROM runs UNION ALL SELECT count(*) FROM artifacts") == [["0"], ["0"]])
        try fill(try registry("good"), pid: 2, artifact: "b")
        #expect(try all.merge(registry("good")) == 2)
    }

    /// The program that wrote it goes on with it.
    @Test func anOldRegistryIsTakenOverAndStaysOld() throws {
        let old = try registry("old")
        try fill(old, pid: 1, artifact: "a")
        _ = try old.write { try $0.execute(sql: "DROP VIEW reclaimable; PRAGMA user_version = 4") }
        #expect(try registry("all").merge(.existing(old.path, leavesOld: true)) == 2)
        #expect(try old.rows("PRAGMA user_version") == [["4"]])
    }

    @Test func aRegistryThatIsReadIsThere() throws {
        let path = scratch.folder + "/empty.sqlite"
        try Data().write(to: URL(fileURLWithPath: path))
        for (place, found) in [(path, "an empty file"), (scratch.folder, "a folder"), (path + "x", "no file")] {
            #expect { try RunRegistry.existing(place) } throws: { "\($0)".hasSuffix("found \(found)") }
        }
        #expect(try FileSystem.size(of: path) == 0)
    }

    /// One that may not be written; what is only in its log is there too.
    @Test func aRegistryOfSomebodyElseIsReadAsACopy() throws {
        let own = try scratch.open()
        try own.record(describe("train"))
        let names = try FileSystem.names(in: scratch.folder).filter { $0.hasPrefix("registry.sqlite") }
        let before = try names.map { try FileSystem.sha256(of: scratch.folder + "/" + $0) }
        let place: String
        do {
            let copy = try TemporaryCopy(of: scratch.path), read = try RunRegistry(path: scratch.path, copy: copy)
            #expect(try read.rows("SELECT stage FROM runs") == [["train"]])
            #expect(read.root == own.root)
            #expect(try registry("all").merge(read) == 1)
            place = copy.path
            #expect(FileSystem.exists(place))
        }
        #expect(!FileSystem.exists(place))
        #expect(try names.map { try FileSystem.sha256(of: scratch.folder + "/" + $0) } == before)
    }

    @Test func fileSystemsOfSeveralMachines() throws {
        let mounts = """
            /dev/vda / ext4 rw 0 0
            server:/home /home nfs4 rw 0 0
            /dev/vdb /home/local xfs rw 0 0
            sshfs#x /mnt/my\\040disk fuse.sshfs rw 0 0
            /dev/sdc /mnt/usb fuseblk rw 0 0
            """
        for (folder, isNetwork) in [
            ("/var/runs", false), ("/home", true), ("/home/me/runs", true), ("/homes/me", false),
            ("/home/local/runs", false), ("/mnt/my disk/runs", true), ("/mnt/usb/runs", false),
        ] { #expect(NetworkFileSystem.holds(folder, mounts: mounts) == isNetwork, "\(folder)") }
        #expect(!NetworkFileSystem.holds("/anywhere", mounts: nil))
        #expect(["lustre", "gpfs", "ceph", "virtiofs", "vboxsf"].allSatisfy(NetworkFileSystem.isOne))
    }

    /// How long SQLite waits follows from the journal that the file has, whoever opens it.
    @Test func whatTheFileHasDecides() throws {
        let path = scratch.folder + "/kept.sqlite"
        func pragmas(_ registry: RunRegistry) throws -> [String?] {
            try ["journal_mode", "synchronous", "busy_timeout"].map { try registry.rows("PRAGMA \($0)")[0][0] }
        }
        #expect(try pragmas(RunRegistry(path: path)) == ["wal", "1", "20000"])
        #expect(try pragmas(RunRegistry(path: path, journal: .rollback)) == ["delete", "2", "120000"])
        #expect(try pragmas(RunRegistry(path: path)) == ["delete", "2", "120000"])
    }

    /// The rollback journal: eight writers at once, and a log that was there before is turned into one.
    @Test func eightWritersWithoutALog() throws {
        let path = scratch.folder + "/shared.sqlite"
        #expect(try RunRegistry(path: path).rows("PRAGMA journal_mode") == [["wal"]])
        #expect(try RunRegistry(path: path, journal: .rollback).rows("PRAGMA journal_mode") == [["delete"]])
        let failures = Failures()
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
            do {
                let registry = try RunRegistry(path: path, journal: .rollback)
                for number in 0..<5 {
                    var description = describe("train")
                    description.machine.pid = Int32(writer * 10 + number + 1)
                    let run = try registry.start(description, rhythm: .init(flush: 0.01)) { failures.add($0) }
                    for step in 1...20 { run.metric("loss", step: step, Double(step)) }
                    run.end(finished)
                }
            } catch { failures.add("\(error)") }
        }
        #expect(failures.all.isEmpty)
        let registry = try RunRegistry(path: path, journal: .rollback)
        #expect(
            try registry.rows("SELECT count(*), (SELECT count(*) FROM metrics) FROM runs WHERE status = 'finished'")
                == [["40", "800"]])
        #expect(try registry.rows("PRAGMA journal_mode") == [["delete"]])
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    }

    private final class Failures: @unchecked Sendable {
        private let lock = NSLock()
        private var messages: [String] = []
        var all: [String] { lock.withLock { messages } }
        func add(_ message: String) { lock.withLock { messages.append(message) } }
    }
}
