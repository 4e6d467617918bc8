import Foundation

/// The folder that a stage is filling. It counts as made when `publish` has written its manifest, and not before.
///
/// What was published in it earlier stays whole until the first file is asked for: then its manifest goes, for its files are about
/// to change. A stage that fails while it is still reading has lost nothing.
public final class OutputFolder {
    public let folder: String
    private var published: Set<String> = []
    private var temporary: Set<String> = []
    private var isWithdrawn = false

    public init(_ path: String) throws {
        folder = path
        try FileSystem.makeFolder(path)
    }

    /// Where to write a file that the manifest shall list.
    public func path(_ file: String) throws -> String {
        try withdraw()
        published.insert(file)
        return (folder as NSString).appendingPathComponent(file)
    }

    /// Where to write a file, such as a checkpoint, that is removed once the folder is published.
    public func temporaryPath(_ file: String) -> String {
        temporary.insert(file)
        return (folder as NSString).appendingPathComponent(file)
    }

    private func withdraw() throws {
        guard !isWithdrawn else { return }
        try FileSystem.remove(ManifestFile.path(folder))
        isWithdrawn = true
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
