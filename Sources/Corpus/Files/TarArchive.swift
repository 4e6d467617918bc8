import Tensors

/// Reads the regular files of a tar archive in memory: ustar with its name prefix, GNU long names, pax `path` records.
/// Everything else (folders, links, other pax records) is passed over.
struct TarArchive {
    struct Member {
        let name: String
        let content: ArraySlice<UInt8>
    }

    let members: [Member]

    init(_ bytes: [UInt8], path: String) throws {
        var members: [Member] = []
        var position = 0
        var longName: String?
        while true {
            guard position + 512 <= bytes.count else {
                throw DataError(
                    path: path, expected: "a tar archive up to its end, a block of zeros",
                    found: "\(bytes.count) bytes without one", hint: "fetch the file again")
            }
            let header = bytes[position..<position + 512]
            if header.allSatisfy({ $0 == 0 }) { break }
            guard Self.checksumIsRight(header), let size = Self.octal(header, 124, 12) else {
                throw DataError(
                    path: path, expected: "a tar header at byte \(position)", found: "something else",
                    hint: "fetch the file again")
            }
            let start = position + 512
            guard size <= bytes.count - start else {
                throw DataError(
                    path: path, expected: "\(size) bytes of \(Self.name(header))",
                    found: "\(bytes.count - start): cut short",
                    hint: "fetch the file again")
            }
            let content = bytes[start..<start + size]
            switch header[header.startIndex + 156] {
            case UInt8(ascii: "L"): longName = Self.text(content)
            case UInt8(ascii: "x"): longName = Self.paxPath(content)
            case UInt8(ascii: "0"), 0:
                members.append(Member(name: longName ?? Self.name(header), content: content))
                longName = nil
            case UInt8(ascii: "g"): break
            default: longName = nil
            }
            position = start + (size + 511) / 512 * 512
        }
        self.members = members
    }

    private static func name(_ header: ArraySlice<UInt8>) -> String {
        let name = text(field(header, 0, 100))
        let isUstar = field(header, 257, 5).elementsEqual("ustar".utf8)
        let prefix = isUstar ? text(field(header, 345, 155)) : ""
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    private static func field(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> ArraySlice<UInt8> {
        header[header.startIndex + offset..<header.startIndex + offset + length]
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func octal(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> Int? {
        Int(trimmed(text(field(header, offset, length))), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The sum of all bytes, those of the checksum itself taken as spaces.
    private static func checksumIsRight(_ header: ArraySlice<UInt8>) -> Bool {
        let sum = header.reduce(0) { $0 + Int($1) } - field(header, 148, 8).reduce(0) { $0 + Int($1) } + 8 * 32
        return octal(header, 148, 8) == sum
    }

    /// pax records are `<length> <key>=<value>\n`.
    static func paxPath(_ content: ArraySlice<UInt8>) -> String? {
        var rest = content
        while let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length <= rest.count,
            rest.startIndex + max(length, 0) > space
        {
            let record = rest[rest.index(after: space)..<rest.startIndex + length].dropLast()
            if record.starts(with: "path=".utf8) { return String(decoding: record.dropFirst(5), as: UTF8.self) }
            rest = rest[(rest.startIndex + length)...]
        }
        return nil
    }
}
