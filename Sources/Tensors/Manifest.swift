import Foundation

/// Size and content of a published file.
package struct FileRecord: Codable, Equatable, Sendable {
    package let sha256: String
    package let bytes: Int
}

/// `manifest.json`: what a stage made, from what, and how. A folder without one does not count as made.
package struct Manifest<Configuration: Codable>: Codable {
    package static var currentVersion: Int { 1 }

    package let formatVersion: Int
    /// The program that made the folder.
    package let stage: String
    package let spec: String?
    package let configuration: Configuration
    /// Role, such as `model` or `tokens`, to the SHA-256 of that input's `manifest.json`; and what the input was itself
    /// made from, as in `capture/model`, all the way back. See `Lineage`.
    package let inputs: [String: String]
    /// By name within the folder.
    package let files: [String: FileRecord]

    package init(
        stage: String, spec: String?, configuration: Configuration, inputs: [String: String],
        files: [String: FileRecord]
    ) {
        formatVersion = Self.currentVersion
        self.stage = stage
        self.spec = spec
        self.configuration = configuration
        self.inputs = inputs
        self.files = files
    }

    /// Reads a folder's manifest and checks that one of `stages` made it and that its files are there in their full
    /// size. Without a stage any will do. Contents are not hashed: `PublishedFolder` does that for each file that is
    /// read. The hash is that of the text that was read.
    fileprivate static func read(folder: String, stages: [String]) throws -> (Manifest, sha256: String) {
        let path = ManifestFile.path(folder)
        let (header, text) = try ManifestFile.open(folder, stages: stages)
        guard header.formatVersion == currentVersion else {
            throw DataError(
                path: path, expected: "format version \(currentVersion)", found: "\(header.formatVersion)",
                hint: "make it again with this version of \(header.stage)")
        }
        let manifest = try JSONText.decode(
            Manifest.self, text, path: path, expected: "the configuration of \(header.stage)",
            hint: "make it again with this version of \(header.stage)")
        for (name, record) in manifest.files.sorted(by: { $0.key < $1.key }) {
            guard !name.contains("/"), name != ".." else {
                throw DataError(
                    path: path, expected: "names of files in the folder", found: name,
                    hint: "make it again with \(header.stage)")
            }
            let file = FilePath.join(folder, name)
            guard FileSystem.exists(file) else {
                throw DataError(
                    path: file, expected: "\(record.bytes) bytes", found: "no file",
                    hint: "make it again with \(manifest.stage)", kind: .missing)
            }
            let size = try FileSystem.size(of: file)
            guard size == record.bytes else {
                throw DataError(
                    path: file, expected: "\(record.bytes) bytes", found: "\(size)",
                    hint: "make it again with \(manifest.stage)")
            }
        }
        return (manifest, FileSystem.sha256(text))
    }

    /// Hashes one file and compares; returns its path.
    fileprivate func verify(folder: String, _ name: String) throws -> String {
        guard let record = files[name] else {
            let names = files.keys.sorted().joined(separator: " ")
            throw DataError(
                path: ManifestFile.path(folder), expected: "'\(name)' among the files",
                found: names.isEmpty ? "none" : names,
                hint: "make it again with \(stage)")
        }
        let file = FilePath.join(folder, name)
        let hash = try FileSystem.sha256(of: file)
        guard hash == record.sha256 else {
            throw DataError(
                path: file, expected: "SHA-256 \(record.sha256)", found: hash,
                hint: "make it again with \(stage) --force")
        }
        return file
    }
}

/// A folder that a stage has published, opened for reading: a file in it is reached past its hash alone.
package struct PublishedFolder<Configuration: Codable> {
    package let path: String
    package let manifest: Manifest<Configuration>
    package var configuration: Configuration { manifest.configuration }
    /// What names the folder.
    package let publication: Publication

    /// - Parameter stage: any of those that may have made it; none: any at all
    package init(_ path: String, stage: String...) throws {
        self.path = path
        let sha256: String
        (manifest, sha256) = try Manifest<Configuration>.read(folder: path, stages: stage)
        publication = Publication(
            path: path, stage: manifest.stage, sha256: sha256,
            bytes: manifest.files.values.reduce(0) { $0 &+ $1.bytes }, inputs: manifest.inputs)
    }

    /// Path of a file, whose content is what the manifest says.
    package func file(_ name: String) throws -> String { try manifest.verify(folder: path, name) }

    /// A file of tensors. Its header is read first, since what is wrong with it says more than a hash.
    package func tensors(_ name: String) throws -> TensorFile {
        let tensors = try TensorFile(path: FilePath.join(path, name))
        _ = try file(name)
        return tensors
    }

    /// Names a file's content; nil where there is no such file.
    package func sha256(_ name: String) -> String? { manifest.files[name]?.sha256 }
}

/// A published folder as it was when it was opened, whatever has been published there since.
package struct Publication: Sendable {
    package let path: String
    package let stage: String
    /// Of the manifest's text.
    package let sha256: String
    /// Of all files together.
    package let bytes: Int
    /// See `Manifest.inputs`.
    package let inputs: [String: String]
}

/// What can be said of a manifest without knowing its configuration's type.
package enum ManifestFile {
    package static let name = "manifest.json"

    package static func path(_ folder: String) -> String { FilePath.join(folder, name) }

    package static func exists(in folder: String) -> Bool { FileSystem.exists(path(folder)) }

    /// Names a folder's content, all of it: the manifest holds the hash of every file.
    package static func sha256(folder: String) throws -> String { try FileSystem.sha256(of: path(folder)) }

    struct Listing: Decodable {
        let inputs: [String: String]
        let files: [String: FileRecord]
    }

    /// What a manifest lists, whatever its configuration.
    static func listing(_ text: Data, path: String) throws -> Listing {
        try JSONText.decode(
            Listing.self, text, path: path, expected: "a manifest",
            hint: "delete \(FilePath.quoted(FilePath.shown(FilePath.parent(path))))")
    }

    /// Names of the files that a manifest lists; one that would lead out of the folder is none.
    static func fileNames(_ path: String) throws -> Set<String> {
        let listing = try listing(Data(FileSystem.read(path)), path: path)
        return Set(listing.files.keys.filter { !$0.contains("/") && $0 != ".." })
    }

    /// Which program made the folder.
    package static func stage(folder: String) throws -> String { try open(folder, stages: []).0.stage }

    struct Header: Codable {
        let formatVersion: Int
        let stage: String
    }

    /// The text of a folder's manifest, and what every manifest says.
    static func open(_ folder: String, stages: [String]) throws -> (Header, text: Data) {
        let path = path(folder)
        let wanted = stages.joined(separator: " or ")
        // a folder that may not be searched may well be finished
        guard try FileSystem.existsForCertain(path) else {
            throw DataError(
                path: path, expected: wanted.isEmpty ? "a finished folder" : "a folder finished by \(wanted)",
                found: FileSystem.exists(folder) ? "no manifest" : "no folder",
                hint: stages.first.map { "\($0) --help says how to make it" }, kind: .missing)
        }
        let text = Data(try FileSystem.read(path))
        let header = try JSONText.decode(
            Header.self, text, path: path, expected: "a manifest",
            hint: "make the folder again\(wanted.isEmpty ? "" : " with \(wanted)")")
        guard stages.isEmpty || stages.contains(header.stage) else {
            throw DataError(
                path: path, expected: "a folder made by \(wanted)", found: "one made by \(header.stage)",
                hint: "\(stages[0]) --help says how to make it")
        }
        return (header, text)
    }
}
