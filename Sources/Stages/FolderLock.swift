import Foundation
import Tensors

/// Keeps a second process out of an output folder: `flock` on `.lock` in it, which holds the owner's pid.
///
/// The kernel gives the lock back when the process ends, however it ends; the file stays.
final class FolderLock {
    struct Held: Error, CustomStringConvertible {
        let folder: String
        let pid: String
        let exitCode: Int32 = EX_TEMPFAIL
        var description: String { "\(folder): locked, process \(pid) is writing to it" }
        var hint: String? { "wait for it to end, or stop it with: kill \(pid)" }
    }

    static let name = ".lock"
    private let descriptor: Int32

    init(_ folder: String) throws {
        try FileSystem.makeFolder(folder)
        let path = FilePath.join(folder, Self.name)
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw DataError.writing(path)
        }
        descriptor = file
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw Held(folder: folder, pid: Self.owner(file))
        }
        ftruncate(file, 0)
        let pid = "\(getpid())\n"
        pwrite(file, pid, pid.utf8.count, 0)
    }

    deinit {
        // Explicitly: a child that is just being started holds a copy of the descriptor until it calls exec.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        return text.isEmpty ? "unknown" : text
    }
}
