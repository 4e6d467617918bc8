import Foundation

/// A folder of a test's own, which goes away with it.
public final class TemporaryFolder {
    public let path: String

    /// - Parameter name: what it begins with
    public init(_ name: String) {
        path = NSTemporaryDirectory() + name + "-" + UUID().uuidString
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            fatalError("a test without a folder: \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func file(_ name: String) -> String { path + "/" + name }

    public var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// A file of this text, and the folders above it.
    public func write(_ text: String, _ name: String) throws {
        let folder = (file(name) as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    }

    /// Calls `body` with the path of a folder that is removed afterwards.
    public static func with<Result>(_ name: String, _ body: (String) throws -> Result) rethrows -> Result {
        let folder = TemporaryFolder(name)
        defer { withExtendedLifetime(folder) {} }
        return try body(folder.path)
    }
}
