import Tensors

/// Sentence pairs: `source[i]` and `target[i]` say the same. White space at the ends of a sentence is dropped.
public struct ParallelText: Equatable, Sendable {
    public private(set) var source: [String] = []
    public private(set) var target: [String] = []

    public var count: Int { source.count }

    public init() {}

    public mutating func append(source: String, target: String) {
        self.source.append(source)
        self.target.append(target)
    }

    public mutating func append(_ other: ParallelText) {
        source += other.source
        target += other.target
    }

    /// The other direction.
    public var reversed: ParallelText {
        var result = ParallelText()
        (result.source, result.target) = (target, source)
        return result
    }
}

// MARK: - Aligned files

extension ParallelText {
    /// Reads two files of which line i of one translates line i of the other; either may be gzip.
    ///
    /// Throws when the counts differ, with the line at which the shorter file ends: a shift cannot be mended by dropping
    /// the rest. Lines that are empty on one side are kept here and counted by the filter.
    public init(source sourcePath: String, target targetPath: String) throws {
        let source = try TextLines.read(sourcePath)
        let target = try TextLines.read(targetPath)
        try Self.requireEqual(source.count, sourcePath, target.count, targetPath)
        self.source = source.map(trimmed)
        self.target = target.map(trimmed)
    }

    static func requireEqual(_ sourceCount: Int, _ sourcePath: String, _ targetCount: Int, _ targetPath: String) throws {
        guard sourceCount != targetCount else { return }
        let (short, long) = sourceCount < targetCount
            ? ((sourcePath, sourceCount), (targetPath, targetCount)) : ((targetPath, targetCount), (sourcePath, sourceCount))
        throw DataError(
            path: "\(short.0):\(short.1 + 1)", expected: "\(long.1) lines, as in \(long.0)", found: "an end after \(short.1)",
            hint: "compare both files from the end backwards; sentence pairs must be on equal lines")
    }
}
