import Foundation
import Tensors

/// UTC times as the registry writes them: `2025-01-31T12:00:00.000Z`.
enum Time {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    static func now() -> String { text(Date()) }
    static func text(_ date: Date) -> String { style.format(date) }
    static func date(_ text: String) -> Date? { try? style.parse(text) }
}

/// Paths as the registry writes them: relative to its own folder where they lie inside, so that a folder of runs can be
/// moved.
enum RegistryPath {
    static func stored(_ path: String, root: String) -> String {
        let full = absolute(path)
        return full.hasPrefix(root + "/") ? String(full.dropFirst(root.count + 1)) : full
    }

    static func onDisk(_ stored: String, root: String) -> String {
        stored.hasPrefix("/") ? stored : root + "/" + stored
    }

    static func absolute(_ path: String) -> String { FilePath.absolute(path) }
}
