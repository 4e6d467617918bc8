import Foundation

/// What the world did wrong: a file that is absent, damaged, of another kind, or a disk that is full.
///
/// Reads as one line, `<path>: expected <this>, found <that>`; `hint` is the command or deed that mends it and is
/// printed on a line of its own. The exit code is that of `sysexits.h`.
public struct DataError: Error, CustomStringConvertible, Sendable {
    public enum Kind: String, Sendable {
        case missing, bad, cannotWrite, io, noSpace

        public var exitCode: Int32 {
            switch self {
            case .missing: 66
            case .bad: 65
            case .cannotWrite: 73
            case .io, .noSpace: 74
            }
        }
    }

    public let path: String
    public let expected: String
    public let found: String
    public let hint: String?
    public let kind: Kind

    public init(path: String, expected: String, found: String, hint: String? = nil, kind: Kind = .bad) {
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint
        self.kind = kind
    }

    public var description: String { "\(path): expected \(expected), found \(found)" }
    public var exitCode: Int32 { kind.exitCode }
}

extension DataError {
    /// A failed system call while reading; `errno` must still be that of the call.
    static func reading(_ path: String, code: Int32 = errno) -> DataError {
        DataError(
            path: path, expected: "a readable file", found: reason(code),
            kind: code == EIO ? .io : .missing)
    }

    /// A failed system call while writing; `errno` must still be that of the call.
    static func writing(_ path: String, code: Int32 = errno) -> DataError {
        switch code {
        case ENOSPC, EDQUOT:
            DataError(
                path: path, expected: "room on the disk", found: reason(code),
                hint: "free some space and start the same command again", kind: .noSpace)
        case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, EEXIST:
            DataError(path: path, expected: "a place to write to", found: reason(code), kind: .cannotWrite)
        default:
            DataError(path: path, expected: "to write", found: reason(code), kind: .io)
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}
