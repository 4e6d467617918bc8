import Foundation
import GRDB

/// One thing to be written about a run.
enum Fact: Sendable {
    case param(key: String, value: String)
    case metric(key: String, step: Int, value: Double, time: String)
    case artifact(direction: String, role: String, Artifact, time: String)
    case score(Score)
    case significance(Significance)
    case resumed(from: Int64)
    case heartbeat
    case ending(RunEnding)

    var isHeartbeat: Bool {
        if case .heartbeat = self { true } else { false }
    }

    /// Writes the fact, within the caller's transaction. Returns why it was not written, if it was not: one odd fact
    /// must not keep the others out. Other errors are thrown.
    func insert(into database: Database, run: Int64, root: String) throws -> String? {
        do {
            return try write(to: database, run: run, root: root)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return error.message ?? "\(error)"
        }
    }

    private func write(to database: Database, run: Int64, root: String) throws -> String? {
        switch self {
        case .param(let key, let value):
            try database.execute(sql: "INSERT OR REPLACE INTO params VALUES (?, ?, ?)", arguments: [run, key, value])
        case .metric(let key, let step, let value, let time):
            try database.cachedStatement(sql: "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?)")
                .execute(arguments: [run, key, step, value.isNaN ? nil : value, time])
        case .artifact(let direction, let role, let artifact, let time):
            try artifact.insert(into: database, run: run, direction: direction, role: role, root: root, time: time)
        case .score(let score):
            try score.insert(into: database, run: run)
        case .significance(let test):
            return try test.insert(into: database, run: run)
        case .resumed(let earlier):
            try database.execute(sql: "UPDATE runs SET resumed_from = ? WHERE id = ?", arguments: [earlier, run])
        case .heartbeat:
            // A run that was taken for lost, perhaps because its machine slept, is alive after all.
            try database.execute(
                sql: "UPDATE runs SET heartbeat = ?, status = 'running', ended = NULL WHERE id = ?",
                arguments: [Time.now(), run])
        case .ending(let ending):
            try ending.update(database, run: run)
        }
        return nil
    }
}

extension Artifact {
    fileprivate func insert(
        into database: Database, run: Int64, direction: String, role: String, root: String, time: String
    ) throws {
        try database.execute(
            sql: "INSERT INTO artifacts VALUES (?, ?, ?) ON CONFLICT DO NOTHING", arguments: [sha256, bytes, kind])
        try database.execute(
            sql: "INSERT OR REPLACE INTO run_io VALUES (?, ?, ?, ?)", arguments: [run, direction, role, sha256])
        guard let place = path.map({ RegistryPath.stored($0, root: root) }) else { return }
        try database.execute(
            sql: "UPDATE artifact_paths SET removed = ? WHERE path = ? AND artifact <> ? AND removed IS NULL",
            arguments: [time, place, sha256])
        try database.execute(
            sql: "INSERT OR REPLACE INTO artifact_paths VALUES (?, ?, ?, NULL)", arguments: [place, sha256, time])
    }
}

extension Score {
    fileprivate func insert(into database: Database, run: Int64) throws {
        let numbers = try precisions.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        try database.execute(
            sql: "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                run, metric, testSet, value, signature, brevityPenalty, systemLength, referenceLength, numbers,
                confidence,
            ])
    }
}

extension Significance {
    /// Nothing is written where the base's score run is not in this registry; returns that.
    fileprivate func insert(into database: Database, run: Int64) throws -> String? {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO significance
                SELECT ?, run, ?, ?, ?, ?, ?, ? FROM run_io JOIN runs ON id = run
                WHERE artifact = ? AND direction = 'out' AND run <> ? ORDER BY started DESC, id DESC LIMIT 1
                """,
            arguments: [run, metric, testSet, method, trials, Int64(bitPattern: seed), p, base, run])
        return database.changesCount > 0 ? nil : "the score that this one was compared with was recorded elsewhere"
    }
}

extension RunEnding {
    fileprivate func update(_ database: Database, run: Int64) throws {
        let now = Time.now()
        try database.execute(
            sql: """
                UPDATE runs SET status = ?, exit_code = ?, error = ?, wall_seconds = ?, cpu_seconds = ?,
                  peak_rss_bytes = ?, heartbeat = ?, ended = ? WHERE id = ?
                """,
            arguments: [
                status.rawValue, exitCode, error, wallSeconds, cpuSeconds, peakResidentBytes, now, now, run,
            ])
    }
}
