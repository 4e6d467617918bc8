import Foundation

/// Whole-file operations: what they publish is whole and durable, or absent.
package enum FileSystem {
    /// Replaces a file's content at one instant: a temporary name in the same folder, `fsync`, `rename`, `fsync` of the
    /// folder.
    package static func writeAtomically(_ data: Data, to path: String) throws {
        let partial = path + ".partial"
        let descriptor = try create(partial)
        do {
            defer { close(descriptor) }
            try data.withUnsafeBytes { try write($0, descriptor, at: 0, path: partial) }
            guard fsync(descriptor) == 0 else { throw DataError.writing(partial) }
        } catch {
            unlink(partial)
            throw error
        }
        try rename(partial, to: path)
    }

    /// Lower-case hexadecimal SHA-256 of a file, read in pieces of 1 MiB.
    package static func sha256(of path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError.reading(path) }
        defer { close(descriptor) }
        let hash = SHA256()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { piece.deallocate() }
        while true {
            let count = Foundation.read(descriptor, piece.baseAddress!, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw DataError.reading(path) }
            if count == 0 { break }
            hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
        }
        return hash.finalize()
    }

    package static func sha256(_ data: Data) -> String {
        let hash = SHA256()
        data.withUnsafeBytes { hash.update($0) }
        return hash.finalize()
    }

    /// Bytes that an ordinary user may still write on the file system of `path`, or of its nearest existing parent.
    package static func freeBytes(at path: String) throws -> Int {
        var place = FilePath.absolute(path)
        var status = statvfs()
        while statvfs(place, &status) != 0 {
            guard errno == ENOENT, place != "/" else { throw DataError.reading(place) }
            place = FilePath.parent(place)
        }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// Size in bytes of a regular file.
    package static func size(of path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw DataError.reading(path) }
        return Int(status.st_size)
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The same for what would be lost if it were taken to be absent: throws where the file system does not tell.
    package static func existsForCertain(_ path: String) throws -> Bool {
        if exists(path) { return true }
        let code = errno
        guard code == ENOENT || code == ENOTDIR else { throw DataError.reading(path, code: code) }
        return false
    }

    /// Makes a folder and its parents; one that is there already is fine.
    package static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o755) == 0 { return }
        let code = errno, parent = FilePath.parent(path)
        switch code {
        case EEXIST where isFolder(path): return
        case ENOENT where parent != "/":
            try makeFolder(parent)
            guard mkdir(path, 0o755) == 0 || (errno == EEXIST && isFolder(path)) else { throw DataError.writing(path) }
        default: throw DataError.writing(path, code: code)
        }
    }

    /// Removes a file if it is there.
    package static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw DataError.writing(path) }
    }
}

// MARK: - Descriptors

extension FileSystem {
    static func create(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DataError.writing(path) }
        return descriptor
    }

    /// Reserves blocks for the whole file. A file system that cannot reserve at least learns the size.
    static func reserve(_ bytes: Int, _ descriptor: Int32, path: String) throws {
        #if os(Linux)
            var code: Int32
            repeat { code = posix_fallocate(descriptor, 0, off_t(max(bytes, 1))) } while code == EINTR
            guard code != 0 else { return }
            guard code == EOPNOTSUPP || code == EINVAL else { throw DataError.writing(path, code: code) }
        #endif
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw DataError.writing(path) }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32, at offset: Int, path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw DataError.writing(path) }
            done += count
        }
    }

    /// Renames within a folder and makes the folder's new entry durable.
    static func rename(_ partial: String, to path: String) throws {
        guard Foundation.rename(partial, path) == 0 else {
            let error = DataError.writing(path)
            unlink(partial)
            throw error
        }
        try makeEntriesDurable(FilePath.parent(path))
    }

    /// Gives a file another name on the same file system; `makeEntriesDurable` makes it last.
    static func move(_ path: String, to place: String) throws {
        guard Foundation.rename(path, place) == 0 else { throw DataError.writing(place) }
    }

    /// `fsync` of a folder: names given and taken in it outlive a power failure.
    static func makeEntriesDurable(_ folder: String) throws {
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError.writing(folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DataError.writing(folder) }
    }
}
