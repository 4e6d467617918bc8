import CZip
import Tensors

/// The members of a zip archive that is in memory, by libzip: zip64, stored or compressed, lengths and CRC-32 checked.
final class ZipArchive {
    struct Member {
        let name: String
        let index: UInt64
        let size: Int
    }

    let path: String
    let members: [Member]
    private let archive: OpaquePointer
    /// What libzip reads from while the archive is open.
    private let content: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8], path: String) throws {
        self.path = path
        content = .allocate(capacity: max(bytes.count, 1))
        _ = content.initialize(from: bytes)
        var failure = zip_error_t()
        zip_error_init(&failure)
        defer { zip_error_fini(&failure) }
        guard let source = zip_source_buffer_create(content.baseAddress, UInt64(bytes.count), 0, &failure),
            let archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &failure)
        else {
            content.deallocate()
            throw Self.damaged(path, String(cString: zip_error_strerror(&failure)))
        }
        self.archive = archive
        members = (0..<zip_get_num_entries(archive, 0)).compactMap { index in
            var status = zip_stat_t()
            guard zip_stat_index(archive, UInt64(index), 0, &status) == 0, let name = status.name else { return nil }
            return Member(name: String(cString: name), index: UInt64(index), size: Int(clamping: status.size))
        }
    }

    deinit {
        zip_discard(archive)
        content.deallocate()
    }

    /// A member's content.
    func content(_ member: Member) throws -> [UInt8] {
        let name = "\(path)(\(member.name))"
        guard let file = zip_fopen_index(archive, member.index, 0) else {
            throw Self.damaged(name, String(cString: zip_error_strerror(zip_get_error(archive))))
        }
        defer { zip_fclose(file) }
        var content: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Int(zip_fread(file, &piece, UInt64(piece.count)))
            guard count >= 0 else {
                throw Self.damaged(name, String(cString: zip_error_strerror(zip_file_get_error(file))))
            }
            if count == 0 { break }
            content.append(contentsOf: piece[..<count])
            guard content.count <= member.size else { throw Self.damaged(name, "more than \(member.size) bytes") }
        }
        guard content.count == member.size else { throw Self.damaged(name, "\(content.count) of \(member.size) bytes") }
        return content
    }

    private static func damaged(_ path: String, _ found: String) -> DataError {
        DataError(
            path: path, expected: "a zip archive that is whole", found: found.lowercased(), hint: "fetch the file again"
        )
    }
}
