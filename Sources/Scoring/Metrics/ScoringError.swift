/// What can be wrong with texts to be scored.
package enum ScoringError: Error, Equatable, Sendable, CustomStringConvertible {
    case noSentences
    case unequalCounts(hypotheses: Int, references: Int)
    /// Files that belong together line by line.
    case unequalFiles(path: String, found: Int, other: String, expected: Int)
    case emptyFile(path: String)
    /// `line` counts from 1.
    case notUTF8(path: String, line: Int)

    package var description: String {
        switch self {
        case .noSentences:
            "expected at least one sentence to score, found none"
        case .unequalCounts(let hypotheses, let references):
            "expected as many hypotheses as references, found \(hypotheses) and \(references)"
        case .unequalFiles(let path, let found, let other, let expected):
            "\(path): expected \(expected) lines as in \(other), found \(found)"
        case .emptyFile(let path):
            "\(path): expected at least one line to score, found none"
        case .notUTF8(let path, let line):
            "\(path):\(line): expected UTF-8, found other bytes"
        }
    }

    /// The exit status of `sysexits.h` that fits: the content of an input is wrong.
    package var exitCode: Int32 { 65 }
}
