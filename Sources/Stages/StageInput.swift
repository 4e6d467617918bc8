import Foundation
import Registry
import Tensors

/// Something a stage reads, named by content.
public struct StageInput: Sendable {
    public let role: String
    let artifact: Artifact

    /// A folder that another stage has published; it is named by its manifest.
    public static func folder(_ role: String, _ path: String) throws -> StageInput {
        StageInput(role: role, artifact: try Artifact(folder: path))
    }

    /// A file from outside, such as raw text; it is hashed as a whole.
    public static func file(_ role: String, _ path: String) throws -> StageInput {
        StageInput(role: role, artifact: try Artifact(file: path))
    }

    /// SHA-256 of the folder's manifest, or of the file.
    public var sha256: String { artifact.sha256 }
}

extension Artifact {
    private struct Anything: Codable {}

    /// Checks that the folder is complete: its manifest is there, and each file in its full size.
    init(folder: String) throws {
        let manifest = try Manifest<Anything>.read(folder: folder)
        self.init(
            sha256: try ManifestFile.sha256(folder: folder), bytes: manifest.files.values.reduce(0) { $0 + $1.bytes },
            kind: manifest.stage, path: folder)
    }

    init(file path: String) throws {
        self.init(sha256: try FileSystem.sha256(of: path), bytes: try FileSystem.size(of: path), kind: "file", path: path)
    }
}
