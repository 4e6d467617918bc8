import Foundation

/// Text files read as sacreBLEU reads them: UTF-8, lines end at U+000A and nowhere else, white space at the end of a line is
/// dropped (a carriage return is such white space), a last line need not be ended.
public enum TextLines {
    /// The lines of a file. Throws `ScoringError`.
    public static func read(_ path: String) throws -> [String] {
        guard let content = FileManager.default.contents(atPath: path) else { throw ScoringError.unreadable(path: path) }
        return try split(content, path: path)
    }

    /// The lines of a hypothesis file and of its reference file, as many of the one as of the other, and at least one.
    public static func readPair(hypotheses: String, references: String) throws -> (hypotheses: [String], references: [String]) {
        let (found, expected) = (try read(hypotheses), try read(references))
        guard found.count == expected.count else {
            throw ScoringError.unequalFiles(
                hypotheses: hypotheses, found: found.count, references: references, expected: expected.count)
        }
        guard !found.isEmpty else { throw ScoringError.emptyFile(path: hypotheses) }
        return (found, expected)
    }

    /// The lines of a file's content; `path` only names it in errors.
    static func split(_ content: Data, path: String) throws -> [String] {
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
