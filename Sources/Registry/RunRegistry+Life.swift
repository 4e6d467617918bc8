import Foundation
import GRDB
import Tensors

extension RunRegistry {
    /// The folder that stored paths are relative to.
    var root: String { FilePath.parent(path) }

    /// Records the start of a run, and on the way marks runs that died as lost and paths that are gone as removed.
    ///
    /// - Parameters:
    ///   - inputs: what the run reads, by role.
    ///   - warn: told, from another thread, when facts cannot be written later on.
    package func start(
        _ run: RunDescription, inputs: [(role: String, artifact: Artifact)] = [], rhythm: LiveRun.Rhythm = .init(),
        warn: @escaping @Sendable (String) -> Void
    ) throws -> LiveRun {
        let gone = try pathsThatAreGone()
        let id = try write { database in
            try markLostRuns(database, seenFrom: run.machine)
            for (path, seen) in gone {
                try database.execute(
                    sql: "UPDATE artifact_paths SET removed = ? WHERE path = ? AND seen = ? AND removed IS NULL",
                    arguments: [Time.now(), path, seen])
            }
            let id = try run.insert(into: database, root: root)
            for (role, artifact) in inputs {
                _ = try Fact.artifact(direction: "in", role: role, artifact, time: Time.now())
                    .insert(into: database, run: id, root: root)
            }
            return id
        }
        return LiveRun(id: id, registry: self, rhythm: rhythm, warn: warn)
    }

    /// Marks runs that died as lost, for whoever goes by what is at work.
    package func markLost(seenFrom machine: Machine) throws {
        try write { try markLostRuns($0, seenFrom: machine) }
    }

    /// The last run before this one, of its key and in its folder, that did not finish: what a checkpoint found on disk
    /// is from.
    package func unfinishedRun(before run: Int64) throws -> Int64? {
        try read { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT earlier.id FROM runs earlier JOIN runs present ON present.id = ?
                    WHERE earlier.key_hash = present.key_hash AND earlier.name = present.name
                      AND earlier.folder IS present.folder
                      AND (earlier.started, earlier.id) < (present.started, present.id)
                      AND earlier.status IN ('failed', 'interrupted', 'lost')
                    ORDER BY earlier.started DESC, earlier.id DESC LIMIT 1
                    """, arguments: [run])
        }
    }

    /// Whether the last finished run of this key made exactly `sha256`: then running it again would make it once more.
    package func hasMade(_ sha256: String, keyHash: String) throws -> Bool {
        try read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT artifact FROM run_io WHERE direction = 'out' AND run =
                      (SELECT id FROM runs WHERE key_hash = ? AND status = 'finished'
                       ORDER BY started DESC, id DESC LIMIT 1)
                    """, arguments: [keyHash]
            ).contains(sha256)
        }
    }

    /// Marks runs as lost that are said to be at work in a folder. To be called by whoever holds its lock: there can be
    /// none.
    package func markLost(in folder: String) throws {
        let place = RegistryPath.stored(folder, root: root)
        let dead = try read {
            try Int64.fetchAll(
                $0, sql: "SELECT id FROM runs WHERE status = 'running' AND folder = ?", arguments: [place])
        }
        guard !dead.isEmpty else { return }
        try write { database in
            for id in dead {
                try database.execute(
                    sql: "UPDATE runs SET status = 'lost', ended = heartbeat WHERE id = ? AND status = 'running'",
                    arguments: [id])
            }
        }
    }

    /// The last run in a folder has published this, but its end is not here: it has finished all the same. Nothing
    /// where that run is of another key, or not here at all.
    package func hasPublished(_ artifact: Artifact, in folder: String, keyHash: String) throws {
        let place = RegistryPath.stored(folder, root: root)
        try write { database in
            let last = try Row.fetchOne(
                database,
                sql: "SELECT id, status, key_hash FROM runs WHERE folder = ? ORDER BY started DESC, id DESC LIMIT 1",
                arguments: [place])
            guard let last, ["lost", "failed"].contains(last["status"] as String), last["key_hash"] == keyHash else {
                return
            }
            let id: Int64 = last["id"]
            try database.execute(
                sql: "UPDATE runs SET status = 'finished', exit_code = 0, error = NULL, heartbeat = ? WHERE id = ?",
                arguments: [Time.now(), id])
            _ = try Fact.artifact(direction: "out", role: artifact.kind, artifact, time: Time.now())
                .insert(into: database, run: id, root: root)
        }
    }

    /// With when they were seen: one may be made anew by another process before this is written.
    private func pathsThatAreGone() throws -> [(path: String, seen: String)] {
        try read { try Row.fetchAll($0, sql: "SELECT path, seen FROM artifact_paths WHERE removed IS NULL") }
            .map { ($0["path"], $0["seen"]) }
            .filter { Foundation.access(RegistryPath.onDisk($0.path, root: root), F_OK) != 0 }
    }
}

// MARK: - Runs that died

/// Heartbeats come every 10 s; a run on another machine that was silent for longer than this is taken for dead.
private let silenceOfTheDead = 120.0

private func markLostRuns(_ database: Database, seenFrom machine: Machine) throws {
    let running = try Row.fetchAll(
        database, sql: "SELECT id, host, boot_id, pid, started, heartbeat FROM runs WHERE status = 'running'")
    for row in running where isLost(row, seenFrom: machine) {
        try database.execute(
            sql: "UPDATE runs SET status = 'lost', ended = heartbeat WHERE id = ?", arguments: [row["id"] as Int64])
    }
}

/// On this machine the kernel knows: another boot, no such process, or a process that is younger than the run. Of other
/// machines only the heartbeat is known.
private func isLost(_ row: Row, seenFrom machine: Machine) -> Bool {
    guard row["host"] as String == machine.host else {
        guard let heartbeat = Time.date(row["heartbeat"]) else { return true }
        return Date().timeIntervalSince(heartbeat) > silenceOfTheDead
    }
    guard row["boot_id"] as String == machine.bootID else { return true }
    let pid = row["pid"] as Int32
    if kill(pid, 0) != 0 && errno == ESRCH { return true }
    guard let born = ProcessTable.startTime(of: pid), let started = Time.date(row["started"]) else { return false }
    return born.timeIntervalSince(started) > 2  // the kernel counts in hundredths, its boot time in whole seconds
}

/// What the kernel knows of other processes.
enum ProcessTable {
    /// When a process started, or nil where the kernel does not tell.
    static func startTime(of pid: Int32) -> Date? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let system = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let afterName = status.lastIndex(of: ")"),
            let bootLine = system.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(bootLine.dropFirst(6))
        else { return nil }
        // The program's name, which may hold spaces, is left out.
        let fields = status[afterName...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        return Date(timeIntervalSince1970: boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
    }
}

extension RunDescription {
    fileprivate func insert(into database: Database, root: String) throws -> Int64 {
        let now = Time.now()
        let words = String(decoding: try JSONEncoder().encode(arguments), as: UTF8.self)
        try database.execute(
            sql: """
                INSERT INTO runs (name, stage, spec, status, key_hash, config, argv, version, git_commit, git_dirty,
                  seed, threads, blas, cpu, host, pid, boot_id, started, heartbeat, folder)
                VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, stage, spec, keyHash, configuration, words, version, git?.commit, git?.isDirty,
                seed.map { Int64(bitPattern: $0) }, threads, machine.blas, machine.cpu, machine.host, machine.pid,
                machine.bootID,
                now, now, folder.map { RegistryPath.stored($0, root: root) },
            ])
        return database.lastInsertedRowID
    }
}
