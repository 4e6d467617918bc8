import Foundation
import GRDB
import Tensors

/// The history of all runs in one SQLite file: what ran, from what, with which settings, and what came out.
///
/// A log of facts: nothing that a stage makes depends on it. Several processes write to it at the same time; each
/// change is one short immediate transaction, and a writer waits up to `timeout` seconds for its turn. On a file system
/// that several machines see it has a rollback journal, else a write-ahead log (see `Journal`).
package final class RunRegistry: Sendable {
    package let path: String
    private let queue: DatabaseQueue
    /// Of a registry that may not be written: what is read in its place.
    private let copy: TemporaryCopy?
    /// The file that is open.
    var openPath: String { copy?.path ?? path }

    /// Opens the registry, makes it if it is absent, and brings an older one up to date.
    /// Throws `RegistryError`, also when a newer program wrote it.
    ///
    /// - Parameters:
    ///   - timeout: how long a writer waits for another one, in seconds; nil: as the journal needs it
    ///   - journal: nil: what fits the file system
    package convenience init(path: String, timeout: Double? = nil, journal: Journal? = nil) throws {
        try self.init(path: path, copy: nil, timeout: timeout, journal: journal)
    }

    init(path: String, copy: TemporaryCopy?, timeout: Double? = nil, journal: Journal? = nil) throws {
        self.path = path
        self.copy = copy
        let fitting = journal ?? .fitting(folder: FilePath.parent(path))
        do {
            queue = try Self.open(copy?.path ?? path, timeout: timeout ?? fitting.timeout)
            try queue.inDatabase { database in
                try Self.migrate(database, path: path, fitting)
                // a log that others left there would be of no use to processes elsewhere
                if journal != nil || fitting == .rollback { try fitting.use(database) }
                let kept = try Journal.kept(by: database)
                try database.execute(sql: "PRAGMA synchronous = \(kept.synchronous)")
                if timeout == nil { try database.execute(sql: "PRAGMA busy_timeout = \(Int(1000 * kept.timeout))") }
            }
        } catch let error as DataError {
            throw error
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    /// A registry that is to be read: one that is absent or empty is not made, and one that may not be written, as
    /// somebody else's, is read as a copy.
    ///
    /// - Parameter leavesOld: whether one of an older program stays so, for that program to go on with
    package static func existing(_ path: String, leavesOld: Bool = false) throws -> RunRegistry {
        let found =
            if !FileSystem.exists(path) { "no file" } else if FileSystem.isFolder(path) { "a folder" } else {
                try FileSystem.size(of: path) == 0 ? "an empty file" : nil
            }
        if let found {
            throw DataError(
                path: path, expected: "a registry of runs", found: found,
                hint: "run a stage first, or name another file with --registry",
                kind: .missing)
        }
        let needed = [path, FilePath.parent(path)]
        let mayWrite = needed.allSatisfy { (name: String) in Foundation.access(name, W_OK) == 0 }
        let isReadInPlace = try mayWrite && !(leavesOld && isOld(path))
        return try RunRegistry(path: path, copy: isReadInPlace ? nil : TemporaryCopy(of: path))
    }

    /// Whether an older program wrote it. Looks without changing anything.
    private static func isOld(_ path: String) throws -> Bool {
        var configuration = Configuration()
        configuration.readonly = true
        do {
            return try DatabaseQueue(path: FilePath.absolute(path), configuration: configuration).read {
                try version($0) < Schema.version
            }
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    /// One immediate transaction. SQLite's errors come out as `RegistryError`.
    func write<Value>(_ change: (Database) throws -> Value) throws -> Value {
        try access { database in
            var value: Value?
            try database.inTransaction(.immediate) {
                value = try change(database)
                return .commit
            }
            return value!
        }
    }

    /// A look that locks nobody out. SQLite's errors come out as `RegistryError`.
    func read<Value>(_ look: (Database) throws -> Value) throws -> Value { try access(look) }

    /// The rows of a query as text, NULL as nil: `try registry.rows("SELECT model, BLEU FROM leaderboard")`.
    package func rows(_ sql: String) throws -> [[String?]] {
        try read { database in
            try Row.fetchAll(database, sql: sql).map { row in
                row.databaseValues.map { $0.isNull ? nil : String.fromDatabaseValue($0) ?? $0.description }
            }
        }
    }

    func access<Value>(_ work: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.inDatabase(work)
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    private static func open(_ path: String, timeout: Double) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "registry"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(timeout)
        try FileSystem.makeFolder(FilePath.parent(path))
        return try DatabaseQueue(path: FilePath.absolute(path), configuration: configuration)
    }

    /// Steps from the file's version to ours. The version is read again inside the transaction, since another process
    /// may have been faster.
    private static func migrate(_ database: Database, path: String, _ journal: Journal) throws {
        try checkOwner(database, path: path)
        guard try version(database) < Schema.version else { return }
        try journal.use(database)
        try database.inTransaction(.immediate) {
            guard try version(database) < Schema.version else { return .commit }
            for step in Schema.migrations[try version(database)...] { try database.execute(sql: step) }
            try database.execute(sql: Views.make)
            try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            try database.execute(sql: "PRAGMA user_version = \(Schema.version)")
            return .commit
        }
    }

    private static func version(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    }

    private static func checkOwner(_ database: Database, path: String) throws {
        var (found, owner, isEmpty) = (0, 0, true)
        try database.inTransaction(.deferred) {  // one snapshot: another process may be making the tables
            isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
            owner = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
            found = try version(database)
            return .commit
        }
        guard owner == Schema.applicationID || (owner == 0 && isEmpty) else {
            throw RegistryError(
                path: path, problem: "expected a registry of runs, found a database of another program",
                hint: "name another file with --registry", kind: .foreign)
        }
        guard found >= 0 else {
            throw RegistryError(
                path: path, problem: "the registry is damaged (version \(found))",
                hint: RegistryError.moveAside(path), kind: .damaged)
        }
        guard found <= Schema.version else {
            throw RegistryError(
                path: path,
                problem: "expected a registry of version \(Schema.version) or older, "
                    + "found version \(found), written by a newer program",
                hint: "build the current source, or name another file with --registry", kind: .newer)
        }
    }
}
