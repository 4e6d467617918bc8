import Foundation
import Tensors

/// A registry with its log or journal, in a folder that goes away with this.
final class TemporaryCopy: Sendable {
    let path: String
    private let folder: URL

    init(of registry: String) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("registry-\(UUID().uuidString)")
        path = folder.appendingPathComponent("registry.sqlite").path
        for _ in 0..<10 {
            let before = Self.state(registry)
            do { try copy(registry) } catch {
                throw DataError(
                    path: registry, expected: "room for a copy in \(folder.path)",
                    found: error.localizedDescription, hint: "name another folder with TMPDIR",
                    kind: .cannotWrite)
            }
            if Self.state(registry) == before { return }
            usleep(100_000)
        }
        throw RegistryError(
            path: registry, problem: "the registry changes while it is copied",
            hint: "try again, or copy it when nobody writes to it", kind: .locked)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static let parts = ["", "-wal", "-journal"]

    private func copy(_ registry: String) throws {
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for part in Self.parts where FileSystem.exists(registry + part) {
            try FileManager.default.copyItem(atPath: registry + part, toPath: path + part)
            // of what may not be written the copy may
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + part)
        }
    }

    /// Sizes and times of what is copied: of two parts, one after the other, they must not have changed meanwhile.
    private static func state(_ registry: String) -> [String] {
        parts.map { part in
            let found = try? FileManager.default.attributesOfItem(atPath: registry + part)
            return "\(found?[.size] ?? "none") \(found?[.modificationDate] ?? "")"
        }
    }
}
