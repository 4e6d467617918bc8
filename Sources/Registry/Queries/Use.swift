import GRDB

/// That a run read something, and which run had made it.
package struct Use: Decodable, FetchableRecord, Sendable {
    package let run: Int64
    package let role: String
    package let sha256: String
    /// The last run before it that made these bytes; nil for a raw file.
    package let source: Int64?
    /// Where it was last seen, from the registry's folder where it lies inside.
    package let path: String?
}

extension RunRegistry {
    /// A recorded path as the file system knows it.
    package func onDisk(_ path: String) -> String { RegistryPath.onDisk(path, root: root) }

    /// What these runs read themselves, by run and role.
    package func uses(by runs: some Sequence<Int64>) throws -> [Use] {
        try read { database in
            try SQLRequest<Use>(
                literal: """
                    WITH
                    \(sql: Views.edge)
                    SELECT edge.run, edge.role, edge.artifact AS sha256, edge.source,
                           \(sql: Views.lastPlace(of: "edge.artifact")) AS path
                    FROM edge WHERE edge.run IN \(Array(runs)) ORDER BY edge.run, edge.role
                    """
            ).fetchAll(database)
        }
    }

    /// Everything that `run` came from: the runs behind it, each once, the nearest first.
    package func ancestors(of run: Int64) throws -> [Int64] {
        try read { database in
            try SQLRequest<Int64>(
                literal: """
                    WITH RECURSIVE
                    \(sql: Views.edge),
                    \(sql: Views.behind("SELECT id FROM runs WHERE id = \(run)"))
                    SELECT reader FROM behind WHERE depth > 1 GROUP BY reader ORDER BY min(depth), reader
                    """
            ).fetchAll(database)
        }
    }
}
