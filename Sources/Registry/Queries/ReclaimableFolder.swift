import Foundation
import GRDB
import Tensors

/// A capture on disk that nobody needs now.
package struct ReclaimableFolder: Decodable, FetchableRecord, Sendable {
    /// From the registry's folder where it lies inside.
    package let path: String
    package let bytes: Int
}

extension RunRegistry {
    /// The largest first: those of the view, and those that are held by runs alone whose folders are gone, as of trials
    /// that a search has given up.
    package func reclaimable() throws -> [ReclaimableFolder] {
        try read { database in
            let gone = try String.fetchAll(
                database, sql: "SELECT DISTINCT folder FROM runs WHERE status <> 'finished' AND folder IS NOT NULL"
            ).filter { !FileSystem.exists(RegistryPath.onDisk($0, root: root)) }
            return try ReclaimableFolder.fetchAll(
                database,
                sql: Views.reclaimable("coalesce(runs.folder, '') NOT IN (SELECT value FROM json_each(?))"),
                arguments: [String(decoding: JSONEncoder().encode(gone), as: UTF8.self)])
        }
    }
}
