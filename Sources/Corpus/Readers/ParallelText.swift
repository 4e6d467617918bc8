import Tensors

/// Sentence pairs: `source[i]` and `target[i]` say the same. White space at the ends of a sentence is dropped.
package struct ParallelText: Equatable, Sendable {
    package private(set) var source: [String] = []
    package private(set) var target: [String] = []
    /// Lines of the files that are no sentences, by side and what they are: `source markup`.
    package private(set) var skipped: [String: Int] = [:]

    package var count: Int { source.count }

    package init() {}

    package mutating func append(source: String, target: String) {
        self.source.append(trimmed(source))
        self.target.append(trimmed(target))
    }

    mutating func skip(_ count: Int, _ reason: String) {
        if count > 0 { skipped[reason, default: 0] += count }
    }
}

// MARK: - Aligned files

extension ParallelText {
    /// Reads two files of which line i of one translates line i of the other; either may be gzip.
    ///
    /// Throws when the counts differ, with the line at which the shorter file ends: a shift cannot be mended by
    /// dropping the rest. Lines that are empty on one side are kept here and counted by the filter.
    package init(source sourceFile: InputFile, target targetFile: InputFile) throws {
        let source = try sourceFile.lines
        let target = try targetFile.lines
        try Self.requireEqual(source.count, sourceFile.path, target.count, targetFile.path)
        self.source = source.map(trimmed)
        self.target = target.map(trimmed)
    }

    private static func requireEqual(
        _ sourceCount: Int, _ sourcePath: String, _ targetCount: Int, _ targetPath: String
    ) throws {
        guard sourceCount != targetCount else { return }
        let (short, long) =
            sourceCount < targetCount
            ? ((sourcePath, sourceCount), (targetPath, targetCount))
            : ((targetPath, targetCount), (sourcePath, sourceCount))
        throw DataError(
            path: "\(short.0):\(short.1 + 1)", expected: "\(long.1) lines, as in \(long.0)",
            found: "an end after \(short.1)",
            hint: "compare both files from the end backwards; sentence pairs must be on equal lines")
    }
}
