import Foundation
import GRDB
import Tensors

extension RunRegistry {
    /// Takes over all runs of another registry with everything that is known of them. A run that is here already, of
    /// the same process of the same machine, is brought up to date and not doubled: merging twice is merging once. Runs
    /// keep what they came from, and paths lead to the same folders as before.
    ///
    /// Returns how many runs are new here.
    package func merge(_ other: RunRegistry) throws -> Int {
        guard FilePath.absolute(other.path) != FilePath.absolute(path) else { return 0 }
        let tables = ["runs", "params", "metrics", "artifacts", "artifact_paths", "run_io", "scores", "significance"]
        let rows = try other.read { database in
            var rows: [String: [Row]] = [:]
            try database.inTransaction(.deferred) {  // one snapshot
                for table in tables { rows[table] = try Row.fetchAll(database, sql: "SELECT * FROM \(table)") }
                return .commit
            }
            return rows
        }
        let fresh = try write { database in
            let numbers = try Self.takeRuns(rows["runs"]!, from: other.folder, to: folder, database)
            for row in rows["artifacts"]! { try Self.put(row, into: "artifacts", orIgnore: true, database) }
            for row in rows["artifact_paths"]! {
                try Self.put(
                    row, into: "artifact_paths",
                    ["path": Self.moved(row["path"], other.folder, folder).databaseValue], database)
            }
            for table in ["params", "metrics", "run_io", "scores", "significance"] {
                for row in rows[table]! {
                    var changes: [String: DatabaseValue] = [:]
                    for column in ["run", "base_run"] where row.hasColumn(column) {
                        changes[column] = numbers.ids[row[column] as Int64]!.databaseValue
                    }
                    try Self.put(row, into: table, changes, database)
                }
            }
            return numbers.fresh
        }
        return fresh
    }

    private var folder: String { FilePath.parent(FilePath.absolute(path)) }

    /// Numbers here of the other's runs, and how many are new.
    private static func takeRuns(
        _ runs: [Row], from: String, to: String, _ database: Database
    ) throws -> (ids: [Int64: Int64], fresh: Int) {
        var ids: [Int64: Int64] = [:], fresh = 0
        for row in runs {
            let own = try Int64.fetchOne(
                database, sql: "SELECT id FROM runs WHERE (started, host, boot_id, pid, key_hash) = (?, ?, ?, ?, ?)",
                arguments: [row["started"], row["host"], row["boot_id"], row["pid"], row["key_hash"]])
            var changes: [String: DatabaseValue] = ["id": .null, "resumed_from": .null]
            if let folder: String = row["folder"] { changes["folder"] = moved(folder, from, to).databaseValue }
            if let own {
                changes["id"] = own.databaseValue
                try update(row, changes, database)
            } else {
                try put(row, into: "runs", changes, database)
                fresh += 1
            }
            ids[row["id"]] = own ?? database.lastInsertedRowID
        }
        for row in runs {
            guard let earlier: Int64 = row["resumed_from"] else { continue }
            try database.execute(
                sql: "UPDATE runs SET resumed_from = ? WHERE id = ?",
                arguments: [ids[earlier]!, ids[row["id"] as Int64]!])
        }
        return (ids, fresh)
    }

    /// Paths within the folder of a registry are relative to it.
    private static func moved(_ path: String, _ from: String, _ to: String) -> String {
        let place = path.hasPrefix("/") ? path : FilePath.join(from, path)
        return place.hasPrefix(to + "/") ? String(place.dropFirst(to.count + 1)) : place
    }

    private static func put(
        _ row: Row, into table: String, _ changes: [String: DatabaseValue] = [:], orIgnore: Bool = false,
        _ database: Database
    ) throws {
        let columns = Array(row.columnNames), values = columns.map { changes[$0] ?? row[$0] as DatabaseValue }
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        let names = columns.joined(separator: ", "), verb = orIgnore ? "IGNORE" : "REPLACE"
        try database.execute(
            sql: "INSERT OR \(verb) INTO \(table) (\(names)) VALUES (\(places))",
            arguments: StatementArguments(values))
    }

    /// A replaced row would take with it what belongs to it.
    private static func update(_ row: Row, _ changes: [String: DatabaseValue], _ database: Database) throws {
        let columns = row.columnNames.filter { $0 != "id" }
        let values = columns.map { changes[$0] ?? row[$0] as DatabaseValue } + [changes["id"]!]
        try database.execute(
            sql: "UPDATE runs SET \(columns.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?",
            arguments: StatementArguments(values))
    }
}
