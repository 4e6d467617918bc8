import Foundation

/// The folder that a stage is filling. It counts as made when `publish` has given it its manifest, and not before.
///
/// Everything is written to `.unfinished` in it and takes the place of what was published earlier at the end: a stage
/// that fails, is killed or finds the disk full has lost nothing. Taking the place is several renames. They begin when
/// the new manifest is durable in `.unfinished`, and a process that dies among them leaves it there: whoever opens the
/// folder next goes on.
package final class OutputFolder {
    package let folder: String
    /// Files, checkpoints and scratch of a run that has not finished.
    package var unfinished: String { FilePath.join(folder, Self.unfinishedName) }
    package static let unfinishedName = ".unfinished"
    /// In `.unfinished`: the manifest whose files are being replaced.
    private static let replacedName = "replaced.json"
    /// In the folder: the key of what was published last, and the SHA-256 of its manifest.
    package static let madeName = ".made"
    private var published: Set<String> = []

    /// Makes the folder, or finishes what a dead process had begun to publish in it.
    package init(_ path: String) throws {
        folder = path
        try FileSystem.makeFolder(path)
        if isBeingPublished { try install() }
    }

    /// Where to write a file that the manifest shall list.
    package func path(_ file: String) throws -> String {
        published.insert(file)
        return try temporaryPath(file)
    }

    /// Where to write a file, such as a checkpoint, that is gone once the folder is published.
    package func temporaryPath(_ file: String) throws -> String {
        try FileSystem.makeFolder(unfinished)
        return FilePath.join(unfinished, file)
    }

    /// Writes the manifest, puts everything in its place, and returns the manifest's SHA-256. Every file of `path` must
    /// be there.
    ///
    /// - Parameter keyHash: names what decides the bytes, for `isMade`; nil where nobody will ask
    @discardableResult
    package func publish<Configuration: Codable>(
        stage: String, spec: String? = nil, configuration: Configuration, inputs: [String: String] = [:],
        keyHash: String? = nil
    ) throws -> String {
        var files: [String: FileRecord] = [:]
        for name in published {
            let file = FilePath.join(unfinished, name)
            files[name] = FileRecord(sha256: try FileSystem.sha256(of: file), bytes: try FileSystem.size(of: file))
        }
        let manifest = Manifest(stage: stage, spec: spec, configuration: configuration, inputs: inputs, files: files)
        let data = try JSONText.encode(manifest) + Data("\n".utf8)
        let sha256 = FileSystem.sha256(data)
        // first, since it says nothing of any other manifest
        if let keyHash {
            try FileSystem.writeAtomically(
                Self.made(keyHash, sha256), to: FilePath.join(folder, Self.madeName))
        }
        try FileSystem.writeAtomically(data, to: temporaryPath(ManifestFile.name))
        try install()
        return sha256
    }

    /// Whether a manifest of this SHA-256 was published here with this key.
    package func isMade(_ sha256: String, keyHash: String) -> Bool {
        (try? Data(FileSystem.read(FilePath.join(folder, Self.madeName)))) == Self.made(keyHash, sha256)
    }

    private static func made(_ keyHash: String, _ sha256: String) -> Data { Data("\(keyHash) \(sha256)\n".utf8) }

    /// Whether everything is written and on its way out of `.unfinished`.
    package var isBeingPublished: Bool { ManifestFile.exists(in: unfinished) }

    /// Moves what is published out of `.unfinished`. The old manifest goes first, since it would vouch for the new
    /// files, and the new one comes last. Every step may be done again.
    private func install() throws {
        let replaced = FilePath.join(unfinished, Self.replacedName)
        let new = try ManifestFile.fileNames(ManifestFile.path(unfinished))
        if ManifestFile.exists(in: folder) {
            try FileSystem.move(ManifestFile.path(folder), to: replaced)
            try FileSystem.makeEntriesDurable(folder)
        }
        for name in new where try FileSystem.existsForCertain(FilePath.join(unfinished, name)) {
            try FileSystem.move(FilePath.join(unfinished, name), to: FilePath.join(folder, name))
        }
        for name in (try? ManifestFile.fileNames(replaced)) ?? [] where !new.contains(name) {
            try FileSystem.remove(FilePath.join(folder, name))
        }
        try FileSystem.makeEntriesDurable(folder)
        try clearUnfinished(keeping: ManifestFile.name)
        try FileSystem.move(ManifestFile.path(unfinished), to: ManifestFile.path(folder))
        try FileSystem.makeEntriesDurable(folder)
        try FileSystem.removeFolder(unfinished)
    }

    /// Removes what is in `.unfinished`, so that no checkpoint outlives what it was for.
    package func clearUnfinished(keeping kept: String? = nil) throws {
        guard FileSystem.isFolder(unfinished) else { return }
        for name in try FileSystem.names(in: unfinished) where name != kept {
            let path = FilePath.join(unfinished, name)
            if FileSystem.isFolder(path) { try FileSystem.removeFolder(path) } else { try FileSystem.remove(path) }
        }
    }
}
