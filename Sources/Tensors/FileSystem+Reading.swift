import Foundation

extension FileSystem {
    /// All of a file: a regular one, a pipe or a device that ends. A pipe can be read once only, so whoever needs its
    /// content twice keeps it.
    package static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError.reading(path) }
        defer { close(descriptor) }
        return try read(descriptor, path: path)
    }

    /// - Parameter path: named in errors only
    package static func read(_ descriptor: Int32, path: String) throws -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DataError.reading(path) }
        var content: [UInt8] = []
        content.reserveCapacity(max(0, Int(clamping: status.st_size)))
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Foundation.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                waitForInput(descriptor)
                continue
            }
            guard count >= 0 else { throw DataError.reading(path) }
            if count == 0 { return content }
            content.append(contentsOf: piece[..<count])
        }
    }

    /// Of a descriptor that whoever has opened it does not wait for.
    package static func waitForInput(_ descriptor: Int32) {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, -1)
    }

    package static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

    /// Whether it is a file that stays, and no pipe or device.
    package static func isRegular(_ path: String) -> Bool { kind(path) == S_IFREG }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Names in a folder, sorted, without `.` and `..`.
    package static func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else { throw DataError.reading(folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw DataError.reading(folder) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Paths of all files below a folder, relative to it, sorted. Links to folders are not followed.
    package static func files(below folder: String) throws -> [String] {
        try names(in: folder).flatMap { name in
            let path = FilePath.join(folder, name)
            return isFolder(path) && !isLink(path) ? try files(below: path).map { name + "/" + $0 } : [name]
        }
    }

    /// Removes a folder with all that is in it, if it is there.
    package static func removeFolder(_ folder: String) throws {
        guard isFolder(folder), !isLink(folder) else { return }
        for name in try names(in: folder) {
            let path = FilePath.join(folder, name)
            if isFolder(path) && !isLink(path) { try removeFolder(path) } else { try remove(path) }
        }
        guard rmdir(folder) == 0 || errno == ENOENT else { throw DataError.writing(folder) }
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
