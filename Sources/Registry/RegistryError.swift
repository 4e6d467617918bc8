import GRDB
import Tensors

/// Why the registry cannot be used, in one line. No output of a stage is ever touched because of it.
package struct RegistryError: Error, CustomStringConvertible, Sendable {
    package enum Kind: Sendable {
        case locked, damaged, foreign, newer, cannotWrite, other

        /// The codes of `sysexits.h`.
        package var exitCode: Int32 {
            switch self {
            case .locked: 75
            case .damaged, .foreign, .newer: 65
            case .cannotWrite: 73
            case .other: 74
            }
        }
    }

    package let path: String
    package let problem: String
    package let hint: String?
    package let kind: Kind

    package var description: String { "\(path): \(problem)" }
    package var exitCode: Int32 { kind.exitCode }

    /// What to do with a damaged file.
    static func moveAside(_ path: String) -> String {
        let path = FilePath.quoted(path)
        return "move it aside: mv \(path) \(path).damaged (a new one is made; outputs do not depend on it)"
    }
}

extension RegistryError {
    /// Says what an SQLite error means for whoever started the stage.
    init(_ error: Error, path: String) {
        if let error = error as? RegistryError {
            self = error
            return
        }
        let sqlite = error as? DatabaseError
        // of a damaged file the message may quote any of it
        let detail = Excerpt.line(sqlite?.message ?? "\(error)")
        switch sqlite?.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                path: path, problem: "the registry is locked by another program (\(detail))",
                hint: "close the program that holds it, such as an open sqlite3 session, and start again", kind: .locked
            )
        case .SQLITE_NOTADB:
            self.init(
                path: path, problem: "the registry is damaged, or this is another file (\(detail))",
                hint: "name another with --registry, or \(Self.moveAside(path))", kind: .damaged)
        case .SQLITE_CORRUPT:
            self.init(
                path: path, problem: "the registry is damaged (\(detail))",
                hint: Self.moveAside(path), kind: .damaged)
        case .SQLITE_READONLY, .SQLITE_PERM:
            self.init(
                path: path, problem: "the registry cannot be written (\(detail))",
                hint: "make the file and its folder writable, or name another with --registry", kind: .cannotWrite)
        case .SQLITE_CANTOPEN:
            self.init(
                path: path, problem: "the registry cannot be opened (\(detail))",
                hint: "make its folder, or name another file with --registry", kind: .cannotWrite)
        default:
            let code = sqlite.map { ", SQLite error \($0.extendedResultCode.rawValue)" } ?? ""
            self.init(path: path, problem: "the registry failed (\(detail)\(code))", hint: nil, kind: .other)
        }
    }
}
