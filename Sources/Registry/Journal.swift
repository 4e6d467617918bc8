import Foundation
import GRDB
import Tensors

/// How SQLite keeps a change that is not finished. A write-ahead log lets readers and a writer work at the same time,
/// but all of them must share memory, that is, be on one machine; a rollback journal needs nothing but locks.
package enum Journal: String, CaseIterable, Sendable {
    case log, rollback

    /// What is right for the file system that a folder is on.
    static func fitting(folder: String) -> Journal { NetworkFileSystem.holds(folder) ? .rollback : .log }

    /// How long a writer waits for another one, in seconds: without a log readers stand in its way, too.
    var timeout: Double { self == .log ? 20 : 120 }

    /// When SQLite waits for the disk. Without a log what was written in between may be lost with the power, and with
    /// it the file, unless every write is waited for.
    var synchronous: String { self == .log ? "NORMAL" : "FULL" }

    /// What the file has by now, which need not be what fits.
    static func kept(by database: Database) throws -> Journal {
        try String.fetchOne(database, sql: "PRAGMA journal_mode") == log.mode ? .log : .rollback
    }

    private var mode: String { self == .log ? "wal" : "delete" }

    /// The mode is a property of the file and stays. SQLite does not wait for a lock while it changes the mode, so we
    /// do.
    func use(_ database: Database) throws {
        for attempt in 1... {
            do {
                guard try String.fetchOne(database, sql: "PRAGMA journal_mode") != mode else { return }
                try database.execute(sql: "PRAGMA journal_mode = \(mode)")
                return
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempt < 200 {
                usleep(20_000)
            }
        }
    }
}

/// File systems that several machines see.
enum NetworkFileSystem {
    private static let types: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "ceph", "afs", "beegfs", "9p", "ocfs2", "gfs2",
        "panfs", "orangefs", "pvfs2", "glusterfs", "virtiofs", "vboxsf",
    ]

    static func isOne(_ type: String) -> Bool { types.contains(type) || type.hasPrefix("fuse.") }

    /// Whether a folder, which need not be there yet, is on one.
    ///
    /// - Parameter mounts: lines of `proc(5)`: device, place, type
    static func holds(_ folder: String, mounts: String? = try? String(contentsOfFile: "/proc/self/mounts")) -> Bool {
        let path = URL(fileURLWithPath: FilePath.absolute(folder)).resolvingSymlinksInPath().path
        var best = (place: "", type: "")
        for line in (mounts ?? "").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 2 else { continue }
            let place = words[1].replacingOccurrences(of: "\\040", with: " ")
            let isAbove = place == "/" || path == place || path.hasPrefix(place + "/")
            if isAbove, place.count >= best.place.count { best = (place, words[2]) }  // the last one hides the others
        }
        return isOne(best.type)
    }
}
