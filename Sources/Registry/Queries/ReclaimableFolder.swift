import GRDB

/// A capture on disk that nobody needs now.
public struct ReclaimableFolder: Decodable, FetchableRecord, Sendable {
    /// From the registry's folder where it lies inside.
    public let path: String
    public let bytes: Int
}

extension RunRegistry {
    /// The largest first.
    public func reclaimable() throws -> [ReclaimableFolder] {
        try read {
            try ReclaimableFolder.fetchAll($0, sql: "SELECT path, bytes FROM reclaimable ORDER BY bytes DESC, path")
        }
    }
}
