import GRDB

/// A capture on disk that nobody needs now.
package struct ReclaimableFolder: Decodable, FetchableRecord, Sendable {
    /// From the registry's folder where it lies inside.
    package let path: String
    package let bytes: Int
}

extension RunRegistry {
    /// The largest first.
    package func reclaimable() throws -> [ReclaimableFolder] {
        try read {
            try ReclaimableFolder.fetchAll($0, sql: "SELECT path, bytes FROM reclaimable ORDER BY bytes DESC, path")
        }
    }
}
