import Tensors

/// Reads the members of a zip archive that is in memory (PKWARE APPNOTE 6.3), stored or deflated, without encryption.
struct ZipArchive {
    struct Member {
        let name: String
        let method: Int
        let crc: UInt32
        let compressedSize: Int
        let size: Int
        let headerOffset: Int
    }

    let path: String
    let members: [Member]
    private let bytes: [UInt8]

    /// Reads the central directory, which is at the end and holds the sizes that local headers may leave out.
    init(_ bytes: [UInt8], path: String) throws {
        self.path = path
        self.bytes = bytes
        let reader = LittleEndian(bytes: bytes, path: path)
        let end = try Self.endRecord(bytes, path: path)
        let count = try reader.value(2, at: end + 10)
        var position = try reader.value(4, at: end + 16)
        var members: [Member] = []
        for _ in 0..<count {
            try reader.require(4, equals: 0x0201_4B50, at: position, "a central directory entry")
            let nameLength = try reader.value(2, at: position + 28)
            members.append(
                Member(
                    name: String(decoding: try reader.slice(nameLength, at: position + 46), as: UTF8.self),
                    method: try reader.value(2, at: position + 10),
                    crc: UInt32(try reader.value(4, at: position + 16)),
                    compressedSize: try reader.value(4, at: position + 20),
                    size: try reader.value(4, at: position + 24),
                    headerOffset: try reader.value(4, at: position + 42)))
            position += 46 + nameLength + (try reader.value(2, at: position + 30)) + (try reader.value(2, at: position + 32))
        }
        self.members = members
    }

    /// A member's content; its length and CRC-32 are checked.
    func content(_ member: Member) throws -> [UInt8] {
        let name = "\(path)(\(member.name))"
        let reader = LittleEndian(bytes: bytes, path: path)
        try reader.require(4, equals: 0x0403_4B50, at: member.headerOffset, "a local header")
        let start = member.headerOffset + 30
            + (try reader.value(2, at: member.headerOffset + 26)) + (try reader.value(2, at: member.headerOffset + 28))
        let data = try reader.slice(member.compressedSize, at: start)
        let content: [UInt8]
        switch member.method {
        case 0: content = Array(data)
        case 8: content = try Zlib.inflate(data, .raw, path: name, limit: member.size)
        default: throw DataError(path: name, expected: "a stored or deflated member", found: "compression method \(member.method)")
        }
        guard content.count == member.size, Zlib.crc32(content) == member.crc else {
            throw DataError(
                path: name, expected: "\(member.size) bytes with CRC-32 \(member.crc)",
                found: "\(content.count) bytes with CRC-32 \(Zlib.crc32(content))", hint: "fetch the file again")
        }
        return content
    }

    static func isZip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    /// Finds the end-of-central-directory record, which a comment of up to 65,535 bytes may follow.
    private static func endRecord(_ bytes: [UInt8], path: String) throws -> Int {
        let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        for position in stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 65_535), by: -1)
        where bytes[position...].starts(with: signature) { return position }
        throw DataError(
            path: path, expected: "a zip archive", found: "no central directory: the file is cut short or is no zip",
            hint: "fetch the file again")
    }
}

/// Bounds-checked little-endian reads.
struct LittleEndian {
    let bytes: [UInt8]
    let path: String

    func slice(_ count: Int, at position: Int) throws -> ArraySlice<UInt8> {
        guard position >= 0, count >= 0, position + count <= bytes.count else {
            throw DataError(
                path: path, expected: "\(count) bytes at \(position)", found: "a file of \(bytes.count) bytes",
                hint: "fetch the file again")
        }
        return bytes[position..<position + count]
    }

    func value(_ width: Int, at position: Int) throws -> Int {
        try slice(width, at: position).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func require(_ width: Int, equals expected: Int, at position: Int, _ what: String) throws {
        guard try value(width, at: position) == expected else {
            throw DataError(path: path, expected: "\(what) at byte \(position)", found: "something else", hint: "fetch the file again")
        }
    }
}
