import Foundation

/// The folder that a stage is filling. It counts as made when `publish` has written its manifest, and not before.
///
/// Opening a folder that was published earlier takes its manifest away, for its files are about to change.
public final class OutputFolder {
    public let folder: String
    private var published: Set<String> = []
    private var temporary: Set<String> = []

    public init(_ path: String) throws {
        folder = path
        try FileSystem.makeFolder(path)
        try FileSystem.remove(ManifestFile.path(path))
    }

    /// Where to write a file that the manifest shall list.
    public func path(_ file: String) -> String {
        published.insert(file)
        return (folder as NSString).appendingPathComponent(file)
    }

    /// Where to write a file, such as a checkpoint, that is removed once the folder is published.
    public func temporaryPath(_ file: String) -> String {
        temporary.insert(file)
        return (folder as NSString).appendingPathComponent(file)
    }

    /// Writes the manifest, last and at one instant, and returns its SHA-256. Every file of `path` must be there.
    @discardableResult
    public func publish<Configuration: Codable>(
        stage: String, spec: String? = nil, configuration: Configuration, inputs: [String: String] = [:]
    ) throws -> String {
        var files: [String: FileRecord] = [:]
        for name in published {
            let file = (folder as NSString).appendingPathComponent(name)
            files[name] = FileRecord(sha256: try FileSystem.sha256(of: file), bytes: try FileSystem.size(of: file))
        }
        let manifest = Manifest(stage: stage, spec: spec, configuration: configuration, inputs: inputs, files: files)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(manifest) + Data("\n".utf8)
        try FileSystem.writeAtomically(data, to: ManifestFile.path(folder))
        for name in temporary { try FileSystem.remove((folder as NSString).appendingPathComponent(name)) }
        return FileSystem.sha256(data)
    }
}
