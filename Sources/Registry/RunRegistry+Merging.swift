import Foundation
import GRDB
import Tensors

extension RunRegistry {
    /// Takes over all runs of another registry with everything that is known of them. A run that is here already, of
    /// the same process of the same machine, is brought up to date and not doubled: merging twice is merging once. Runs
    /// keep what they came from, and paths lead to the same folders as before.
    ///
    /// Returns how many runs are new here. Throws `RegistryError`, and then nothing of the other registry is here.
    package func merge(_ other: RunRegistry) throws -> Int {
        guard FilePath.resolved(other.path) != FilePath.resolved(path) else { return 0 }
        return try access { database in
            try database.execute(sql: "ATTACH DATABASE ? AS other", arguments: [FilePath.absolute(other.openPath)])
            defer { try? database.execute(sql: "DETACH DATABASE other") }
            try Self.requireWhole(database, path: other.path)
            database.add(function: Self.moved(from: other.root, to: root))
            var fresh = 0
            // the other one is only read, and its runs may be at work: BEGIN IMMEDIATE would lock them out, too
            try database.inTransaction(.deferred) {
                try database.execute(sql: "DELETE FROM main.runs WHERE false")  // takes the lock of this one
                fresh = try Self.takeRuns(database)
                try Self.takeFacts(database)
                try database.execute(sql: "DROP TABLE temp.merged")
                return .commit
            }
            return fresh
        }
    }

    /// What is wrong with the other registry would be said of this one while the two become one.
    private static func requireWhole(_ database: Database, path: String) throws {
        func found(_ problem: String) -> RegistryError {
            RegistryError(
                path: path, problem: "the registry is damaged (\(problem))",
                hint: "leave it out, or save what can be read: sqlite3 \(FilePath.quoted(path)) .recover",
                kind: .damaged)
        }
        do {
            let verdict = try String.fetchOne(database, sql: "PRAGMA other.quick_check(1)") ?? "no answer"
            guard verdict == "ok" else { throw found(Excerpt.line(verdict)) }
            for table in ["runs"] + facts where try columns(of: table, database).isEmpty {
                throw found("no table '\(table)'")
            }
            if let row = try Row.fetchOne(database, sql: "PRAGMA other.foreign_key_check") {
                throw found("rows of \(row[0] as String) belong to \(row[2] as String) that are not there")
            }
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    /// What is known of runs, in an order in which nothing is missing that a row belongs to.
    private static let facts = [
        "artifacts", "artifact_paths", "params", "metrics", "run_io", "scores", "significance",
    ]

    /// Of what both know of a path, the later holds: that something was seen there, or that it is gone.
    private static let laterPath = """
        WHERE true
        ON CONFLICT (path, artifact) DO UPDATE SET seen = excluded.seen, removed = excluded.removed
          WHERE max(excluded.seen, coalesce(excluded.removed, '')) > max(seen, coalesce(removed, ''))
        """
    /// What another artifact was seen in the place of later is gone.
    private static let replacedPaths = """
        UPDATE main.artifact_paths SET removed = (
            SELECT min(later.seen) FROM main.artifact_paths later
            WHERE later.path = artifact_paths.path AND later.seen > artifact_paths.seen)
          WHERE removed IS NULL AND EXISTS (
            SELECT 1 FROM main.artifact_paths later
            WHERE later.path = artifact_paths.path AND later.seen > artifact_paths.seen)
        """

    /// Those that both registries have.
    private static func columns(of table: String, _ database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT name FROM pragma_table_info(:table, 'main')
                WHERE name IN (SELECT name FROM pragma_table_info(:table, 'other'))
                """, arguments: ["table": table])
    }

    /// Paths within the folder of a registry are relative to it.
    private static func moved(from: String, to: String) -> DatabaseFunction {
        DatabaseFunction("moved", argumentCount: 1, pure: true) { values in
            String.fromDatabaseValue(values[0]).map {
                RegistryPath.stored(RegistryPath.onDisk($0, root: from), root: to)
            }
        }
    }

    /// Makes `merged`, the numbers here of the other's runs, and takes over the runs. Returns how many are new.
    private static func takeRuns(_ database: Database) throws -> Int {
        let columns = try columns(of: "runs", database).filter { !["id", "folder", "resumed_from"].contains($0) }
        let changes =
            (columns + ["resumed_from"]).map { "\($0) = excluded.\($0)" }
            + ["folder = coalesce(runs.folder, excluded.folder)"]
        let before = try Int64.fetchOne(database, sql: "SELECT coalesce(max(id), 0) FROM main.runs")!
        try database.execute(
            sql: """
                CREATE TEMP TABLE merged (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
                INSERT INTO temp.merged
                  SELECT id, coalesce(
                    (SELECT ours.id FROM main.runs ours WHERE ours.key_hash = theirs.key_hash
                      AND (ours.started, ours.host, ours.boot_id, ours.pid)
                        = (theirs.started, theirs.host, theirs.boot_id, theirs.pid)),
                    \(before) + row_number() OVER (ORDER BY id))
                  FROM other.runs theirs;
                """)
        // An earlier copy of a registry knows less of a run than is known here. A replaced row would take with it what
        // belongs to it.
        try database.execute(
            sql: """
                INSERT INTO main.runs (id, folder, resumed_from, \(columns.joined(separator: ", ")))
                  SELECT ours, moved(folder), (SELECT ours FROM temp.merged WHERE theirs = resumed_from),
                    \(columns.joined(separator: ", "))
                  FROM other.runs JOIN temp.merged ON theirs = id
                  WHERE true
                  ON CONFLICT (id) DO UPDATE SET \(changes.joined(separator: ", "))
                    WHERE (excluded.heartbeat, coalesce(excluded.ended, ''))
                      > (runs.heartbeat, coalesce(runs.ended, ''));
                """)
        return try Int.fetchOne(database, sql: "SELECT count(*) FROM temp.merged WHERE ours > \(before)")!
    }

    private static func takeFacts(_ database: Database) throws {
        for table in facts {
            let columns = try columns(of: table, database)
            let values = columns.map { column in
                switch column {
                case "run", "base_run": "(SELECT ours FROM temp.merged WHERE theirs = \(column))"
                case "path": "moved(path)"
                default: column
                }
            }
            let verb =
                switch table {
                case "artifacts": "INSERT OR IGNORE"
                case "artifact_paths": "INSERT"
                default: "INSERT OR REPLACE"
                }
            try database.execute(
                sql: """
                    \(verb) INTO main.\(table) (\(columns.joined(separator: ", ")))
                      SELECT \(values.joined(separator: ", ")) FROM other.\(table)
                      \(table == "artifact_paths" ? laterPath : "")
                    """)
        }
        try database.execute(sql: replacedPaths)
    }
}
