import Foundation
import Tensors

/// Keeps a second process out of an output folder: `flock` on `.lock` in it, which holds the owner's pid, host and
/// stage.
///
/// The kernel gives the lock back when the process ends, however it ends; the file stays, and says whose folder it is.
final class FolderLock {
    struct Held: Error, CustomStringConvertible {
        let folder: String
        /// Nil where it has not yet written it.
        let owner: Owner?
        let exitCode: Int32 = EX_TEMPFAIL
        var description: String {
            "\(folder): locked, \(owner.map { "\($0)" } ?? "another process") is writing to it"
        }
        var hint: String? {
            "wait for it to end" + (owner.map { $0.isHere ? ", or stop it with: kill \($0.pid)" : "" } ?? "")
        }
    }

    /// A process, on this machine or on another that sees the folder too.
    struct Owner: Equatable, CustomStringConvertible {
        let pid: Int32
        let host: String

        static let this = Owner(pid: getpid(), host: ProcessInfo.processInfo.hostName)

        var isHere: Bool { host == Self.this.host }
        var description: String { "process \(pid)" + (isHere ? "" : " on \(host)") }
    }

    static let name = ".lock"
    private let descriptor: Int32

    init(_ folder: String, stage: String) throws {
        try FileSystem.makeFolder(folder)
        let path = FilePath.join(folder, Self.name)
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw DataError.writing(path)
        }
        descriptor = file
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno  // deinit closes the file
            guard code == EWOULDBLOCK else {
                throw DataError(
                    path: path, expected: "a file system with locks (flock)", found: String(cString: strerror(code)),
                    hint: "mount it with locks, or write to another one", kind: .cannotWrite)
            }
            throw Held(folder: folder, owner: Self.owner(file))
        }
        let text = "\(Owner.this.pid) \(Owner.this.host) \(stage)\n"
        pwrite(file, text, text.utf8.count, 0)
        ftruncate(file, off_t(text.utf8.count))
    }

    /// The stage that took the folder for itself last; nil where none has.
    static func stage(in folder: String) -> String? {
        let file = open(FilePath.join(folder, name), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let words = words(file)
        return words.count == 3 ? words[2] : nil
    }

    deinit {
        // Explicitly: a child that is just being started holds a copy of the descriptor until it calls exec.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(_ file: Int32) -> Owner? {
        let words = words(file)
        guard words.count > 1, let pid = Int32(words[0]) else { return nil }
        return Owner(pid: pid, host: words[1])
    }

    private static func words(_ file: Int32) -> [String] {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .map(String.init)
    }
}
