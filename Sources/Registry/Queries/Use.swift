import GRDB

/// That a run read something, and which run had made it.
package struct Use: Decodable, FetchableRecord, Sendable {
    package let run: Int64
    package let role: String
    package let sha256: String
    /// The stage that makes such a folder, or `file`.
    package let kind: String
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
                    SELECT edge.run, edge.role, edge.artifact AS sha256, artifacts.kind, edge.source,
                           \(sql: Views.lastPlace(of: "edge.artifact")) AS path
                    FROM edge JOIN artifacts ON artifacts.sha256 = edge.artifact
                    WHERE edge.run IN \(Array(runs)) ORDER BY edge.run, edge.role
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
                    behind(run, depth) AS (
                      SELECT \(run), 0
                      UNION
                      SELECT edge.source, behind.depth + 1
                      FROM behind JOIN edge ON edge.run = behind.run
                      WHERE edge.source IS NOT NULL AND edge.role <> 'base' AND behind.depth < \(Views.deepest)
                    )
                    SELECT run FROM behind WHERE depth > 0 GROUP BY run ORDER BY min(depth), run
                    """
            ).fetchAll(database)
        }
    }
}
