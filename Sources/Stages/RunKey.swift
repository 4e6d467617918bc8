import Foundation
import Tensors

/// What decides the bytes of an output: two runs with the same key must make the same.
///
/// The hash is SHA-256 over a canonical JSON text of stage, the stage's revision, spec, seed, configuration and the
/// inputs' hashes by role, all sorted. All of the configuration counts, whatever its members are called: what must not
/// matter, such as threads and paths, has no place in a configuration's type.
struct RunKey {
    let stage: String
    let revision: Int
    let spec: String?
    let seed: UInt64?
    /// JSON text.
    let configuration: Data
    /// Role and SHA-256.
    let inputs: [(role: String, sha256: String)]

    func members() throws -> [String: Any] {
        [
            "stage": stage, "revision": revision, "spec": spec ?? NSNull(), "seed": seed.map { "\($0)" } ?? NSNull(),
            "configuration": try JSONSerialization.jsonObject(with: configuration, options: .fragmentsAllowed),
            "inputs": inputs.map { "\($0.role)=\($0.sha256)" }.sorted(),
        ]
    }

    func text() throws -> Data {
        try JSONSerialization.data(withJSONObject: members(), options: [.sortedKeys, .withoutEscapingSlashes])
    }

    func hash() throws -> String { FileSystem.sha256(try text()) }
}
