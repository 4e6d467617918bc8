import Corpus
import Foundation
import Registry
import Tensors

/// Something a stage reads, named by content.
package struct StageInput: Sendable {
    package let role: String
    let artifact: Artifact
    /// What the input was itself made from, as its manifest says; see `Lineage`.
    let origins: [String: String]
    /// Where it was found; nil for what has no place.
    var path: String? { artifact.path }

    /// A folder that another stage has published; it is named by its manifest, as that was when it was opened.
    package static func folder(_ role: String, _ folder: Publication) -> StageInput {
        StageInput(role: role, artifact: Artifact(folder), origins: folder.inputs)
    }

    /// What was read from outside, as whoever has read it reports.
    package static func file(_ file: InputFile) -> StageInput {
        StageInput(
            role: file.role,
            artifact: Artifact(sha256: file.sha256, bytes: file.bytes.count, kind: "file", path: file.place),
            origins: [:])
    }

    /// SHA-256 of the folder's manifest, or of the file.
    package var sha256: String { artifact.sha256 }
}

extension Artifact {
    private struct Anything: Codable {}

    /// Checks that the folder is complete: its manifest is there, and each file in its full size.
    static func published(_ folder: String) throws -> Artifact {
        Artifact(try PublishedFolder<Anything>(folder).publication)
    }

    init(_ folder: Publication) {
        self.init(sha256: folder.sha256, bytes: folder.bytes, kind: folder.stage, path: folder.path)
    }
}
