import Foundation
import Tensors

/// Lines of a UTF-8 file.
///
/// Lines end at U+000A and nowhere else: U+2028, U+0085 and a lone carriage return are ordinary characters, or two
/// files with equal line counts would fall out of step. One carriage return before the line feed is dropped. A last
/// line without a line feed counts. A byte order mark at the start of the file is dropped.
package enum TextLines {
    /// Throws `DataError` with `path:line` at the first byte sequence that is not UTF-8, and for what is no text at
    /// all.
    ///
    /// - Parameter path: named in errors only.
    static func split(_ bytes: UnsafeBufferPointer<UInt8>, path: String) throws -> [String] {
        try FileFormat.requireText(bytes, path: path)
        var lines: [String] = []
        var start = bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        while start < bytes.count {
            let found = memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start)
            let end =
                found.map { bytes.baseAddress!.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? bytes.count
            let hasReturn = end > start && bytes[end - 1] == UInt8(ascii: "\r")
            let line = UnsafeBufferPointer(rebasing: bytes[start..<(hasReturn ? end - 1 : end)])
            lines.append(try decoded(line, path: path, number: lines.count + 1))
            start = end + 1
        }
        return lines
    }

    static func split(_ bytes: [UInt8], path: String) throws -> [String] {
        try bytes.withUnsafeBufferPointer { try split($0, path: path) }
    }

    /// Lines that a stage wrote, each with its line feed: whatever they begin or end with is theirs.
    static func written(_ bytes: [UInt8], path: String) throws -> [String] {
        try bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated().map { index, line in
            try line.withUnsafeBufferPointer { try decoded($0, path: path, number: index + 1) }
        }
    }

    /// A line that came by itself, without its end: of a file that begins with it, where its number is 1.
    package static func line(_ bytes: ArraySlice<UInt8>, path: String, number: Int) throws -> String {
        try bytes.withUnsafeBufferPointer { line in
            try FileFormat.requireText(line, path: path, firstLine: number)
            let mark = number == 1 && line.starts(with: byteOrderMark) ? byteOrderMark.count : 0
            return try decoded(UnsafeBufferPointer(rebasing: line[mark...]), path: path, number: number)
        }
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static func decoded(_ line: UnsafeBufferPointer<UInt8>, path: String, number: Int) throws -> String {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw invalid(line, path: path, number: number)
        }
        return text
    }

    /// Names the first byte at which decoding fails.
    private static func invalid(_ line: UnsafeBufferPointer<UInt8>, path: String, number: Int) -> DataError {
        var decoder = UTF8()
        var iterator = line.makeIterator()
        var offset = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
        let byte = String(line[min(offset, line.count - 1)], radix: 16, uppercase: true)
        return DataError(
            path: "\(path):\(number)", expected: "UTF-8", found: "byte 0x\(byte) at column \(offset + 1)",
            hint: "find out its encoding and convert it, as from Latin-1: iconv -f latin1 -t utf-8")
    }
}

/// Without white space (also no-break spaces) at either end.
func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespacesAndNewlines)
}
