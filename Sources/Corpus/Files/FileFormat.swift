import Tensors

/// What a file is by its first bytes, where these are sure to tell.
enum FileFormat: String, CaseIterable {
    case gzip, zip, xz, bzip2
    case zstandard = "Zstandard"
    case sevenZip = "7z"
    case lz4 = "LZ4"
    case pdf = "PDF"
    case sqlite = "SQLite"
    case utf32 = "UTF-32"
    case utf16 = "UTF-16"

    private var beginnings: [[UInt8]] {
        switch self {
        case .gzip: [[0x1F, 0x8B]]
        case .zip: [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 7, 8]]
        case .xz: [[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]]
        case .bzip2: [Array("BZh".utf8)]
        case .zstandard: [[0x28, 0xB5, 0x2F, 0xFD]]
        case .sevenZip: [[0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]]
        case .lz4: [[0x04, 0x22, 0x4D, 0x18]]
        case .pdf: [Array("%PDF-".utf8)]
        case .sqlite: [Array("SQLite format 3\0".utf8)]
        case .utf32: [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]]
        case .utf16: [[0xFF, 0xFE], [0xFE, 0xFF]]
        }
    }

    init?(_ bytes: some Collection<UInt8>) {
        guard let format = Self.allCases.first(where: { $0.beginnings.contains { bytes.starts(with: $0) } }) else {
            return nil
        }
        // letters that a text may begin with as well: the digit and the mark of a block that follow decide
        if format == .bzip2, !bytes.dropFirst(4).starts(with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) { return nil }
        self = format
    }

    /// What makes plain text of such a file.
    func hint(_ path: String) -> String {
        let path = Self.word(path)
        return switch self {
        case .gzip: "unpack it: gzip -dc \(path)"
        case .zip: "unpack it and name the file"
        case .xz: "unpack it: xz -dc \(path)"
        case .bzip2: "unpack it: bzip2 -dc \(path)"
        case .zstandard: "unpack it: zstd -dc \(path)"
        case .sevenZip: "unpack it: 7z x \(path)"
        case .lz4: "unpack it: lz4 -dc \(path)"
        case .utf16, .utf32: "convert it: iconv -f \(rawValue) -t UTF-8 \(path)"
        case .pdf, .sqlite: "give a plain text file"
        }
    }

    /// As a command takes it; standard input and members of archives have no name there.
    private static func word(_ path: String) -> String {
        FileSystem.isRegular(path) ? FilePath.quoted(path) : "FILE"
    }

    /// Refuses what is no text: a known format of another kind, or anything with a NUL byte in it.
    ///
    /// - Parameter firstLine: number of the line that the bytes begin with; only a first one can name a format
    static func requireText(_ bytes: UnsafeBufferPointer<UInt8>, path: String, firstLine: Int = 1) throws {
        if firstLine == 1, let format = FileFormat(bytes) {
            throw DataError(
                path: path, expected: "plain text in UTF-8", found: "\(format.rawValue) data", hint: format.hint(path))
        }
        guard let position = bytes.firstIndex(of: 0) else { return }
        let line = bytes[..<position].count { $0 == 0x0A } + firstLine, name = word(path)
        throw DataError(
            path: "\(path):\(line)", expected: "plain text in UTF-8", found: "a NUL byte",
            hint: "see what the file is: file \(name); UTF-16 is converted by: iconv -f UTF-16LE -t UTF-8 \(name)")
    }
}
