import Foundation

/// What the world did wrong: a file that is absent, damaged, of another kind, or a disk that is full.
///
/// Reads as one line, `<path>: expected <this>, found <that>`; `hint` is the command or deed that mends it and is
/// printed on a line of its own. The exit code is that of `sysexits.h`.
package struct DataError: Error, CustomStringConvertible, Sendable {
    package enum Kind: String, Sendable {
        case missing, bad, cannotWrite, io, noSpace
        /// What the system would not give: memory, threads, descriptors.
        case system

        package var exitCode: Int32 {
            switch self {
            case .missing: 66
            case .bad: 65
            case .system: 71
            case .cannotWrite: 73
            case .io, .noSpace: 74
            }
        }
    }

    package let path: String
    package let expected: String
    package let found: String
    package let hint: String?
    package let kind: Kind

    package init(path: String, expected: String, found: String, hint: String? = nil, kind: Kind = .bad) {
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint
        self.kind = kind
    }

    package var description: String {
        "\(Excerpt.line(path, most: 1000)): expected \(Excerpt.line(expected)), found \(Excerpt.line(found))"
    }
    package var exitCode: Int32 { kind.exitCode }
}

extension DataError {
    /// A failed system call while reading; `errno` must still be that of the call.
    package static func reading(_ path: String, code: Int32 = errno) -> DataError {
        let kind: Kind =
            switch code {
            case ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG, ENXIO: .missing
            case ENOMEM, EMFILE, ENFILE, EAGAIN: .system
            default: .io
            }
        return DataError(
            path: path, expected: "a readable file", found: code == EISDIR ? "a folder" : reason(code), kind: kind)
    }

    /// A failed system call while writing; `errno` must still be that of the call.
    package static func writing(_ path: String, code: Int32 = errno) -> DataError {
        switch code {
        case ENOSPC, EDQUOT:
            DataError(
                path: path, expected: "room on the disk", found: reason(code),
                hint: "free some space and start the same command again", kind: .noSpace)
        case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, EEXIST, ELOOP, ENAMETOOLONG:
            DataError(path: path, expected: "a place to write to", found: reason(code), kind: .cannotWrite)
        case EFBIG:
            DataError(
                path: path, expected: "to write", found: reason(code),
                hint: "raise the limit of a file's size (ulimit -f)", kind: .io)
        case ENOMEM, EMFILE, ENFILE:
            DataError(path: path, expected: "to write", found: reason(code), kind: .system)
        default:
            DataError(path: path, expected: "to write", found: reason(code), kind: .io)
        }
    }

    /// The system's words and its number: `no space left on device (error 28)`.
    private static func reason(_ code: Int32) -> String {
        "\(String(cString: strerror(code)).lowercased()) (error \(code))"
    }
}

/// Text from outside within a message: one line, and not much of it.
package enum Excerpt {
    package static func line(_ text: String, most: Int = 200) -> String {
        var result = "", count = 0
        for scalar in text.unicodeScalars {
            guard count < most else { return result + "…" }
            count += 1
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.properties.generalCategory == .control:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
