import Foundation
import TestSupport

@testable import Corpus

/// Where the tests find and put files.
enum Fixtures {
    /// The package's folder.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Real corpora, which are no part of the project: `CORPORA`, or a folder beside the project; nil where there is
    /// none.
    static let corpora: String? = {
        let path = ProcessInfo.processInfo.environment["CORPORA"] ?? root + "/../shared/corpora"
        return FileManager.default.fileExists(atPath: path + "/multi30k") ? path : nil
    }()

    /// Calls `body` with an empty folder that is removed afterwards.
    static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        try TemporaryFolder.with("corpus", body)
    }

    static func write(_ bytes: some Sequence<UInt8>, _ folder: String, _ name: String) throws -> String {
        let path = folder + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    static func write(_ text: String, _ folder: String, _ name: String) throws -> String {
        try write(text.utf8, folder, name)
    }

    /// A document, read without account.
    static func open(_ path: String) throws -> InputFile { try InputFiles().open("test", path) }

    static func pair(_ source: String, _ target: String) throws -> ParallelText {
        try ParallelText(source: open(source), target: open(target))
    }
}

extension ParallelText {
    /// The other direction.
    var reversed: ParallelText {
        var result = ParallelText()
        for (source, target) in zip(source, target) { result.append(source: target, target: source) }
        for (reason, count) in skipped {
            let side = reason.hasPrefix("source ") ? "target " : "source "
            result.skip(count, side + reason.dropFirst(side.count))
        }
        return result
    }
}
