import Foundation

/// Text files read as sacreBLEU reads them: UTF-8, lines end at U+000A and nowhere else, white space at the end of a
/// line is dropped (a carriage return is such white space), a last line need not be ended.
package enum SegmentLines {
    /// The lines of a file's content; `path` only names it in errors. Throws `ScoringError`.
    package static func split(_ content: Data, path: String) throws -> [String] {
        var lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return try lines.enumerated().map { index, line in
            guard String(validating: line, as: UTF8.self) != nil else {
                throw ScoringError.notUTF8(path: path, line: index + 1)
            }
            var bytes = Array(line)
            PythonText.stripEnd(&bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
