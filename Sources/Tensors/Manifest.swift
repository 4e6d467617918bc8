import Foundation

/// Size and content of a published file.
public struct FileRecord: Codable, Equatable, Sendable {
    public let sha256: String
    public let bytes: Int
}

/// `manifest.json`: what a stage made, from what, and how. A folder without one does not count as made.
public struct Manifest<Configuration: Codable>: Codable {
    public static var currentVersion: Int { 1 }

    public let formatVersion: Int
    /// The program that made the folder.
    public let stage: String
    public let spec: String?
    public let configuration: Configuration
    /// Role, such as `teacher` or `tokens`, to the SHA-256 of that input's `manifest.json`.
    public let inputs: [String: String]
    /// By name within the folder.
    public let files: [String: FileRecord]

    public init(
        stage: String, spec: String?, configuration: Configuration, inputs: [String: String], files: [String: FileRecord]
    ) {
        formatVersion = Self.currentVersion
        self.stage = stage
        self.spec = spec
        self.configuration = configuration
        self.inputs = inputs
        self.files = files
    }

    /// Reads a folder's manifest and checks that one of `stage` made it and that its files are there in their full
    /// size. Without a stage any will do. Contents are not hashed; see `verify`.
    public static func read(folder: String, stage: String...) throws -> Manifest {
        let path = ManifestFile.path(folder)
        let header = try ManifestFile.header(folder, stages: stage)
        guard header.formatVersion == currentVersion else {
            throw DataError(
                path: path, expected: "format version \(currentVersion)", found: "\(header.formatVersion)",
                hint: "make it again with this version of \(header.stage)")
        }
        let manifest: Manifest
        do {
            manifest = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw DataError(
                path: path, expected: "the configuration of \(header.stage)", found: ManifestFile.words(error),
                hint: "make it again with this version of \(header.stage)")
        }
        for (name, record) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let file = (folder as NSString).appendingPathComponent(name)
            guard FileSystem.exists(file) else {
                throw DataError(
                    path: file, expected: "\(record.bytes) bytes", found: "no file", hint: "make it again with \(manifest.stage)", kind: .missing)
            }
            let size = try FileSystem.size(of: file)
            guard size == record.bytes else {
                throw DataError(path: file, expected: "\(record.bytes) bytes", found: "\(size)", hint: "make it again with \(manifest.stage)")
            }
        }
        return manifest
    }

    /// Hashes every file and compares.
    public func verify(folder: String) throws {
        for (name, record) in files.sorted(by: { $0.key < $1.key }) {
            let file = (folder as NSString).appendingPathComponent(name)
            let hash = try FileSystem.sha256(of: file)
            guard hash == record.sha256 else {
                throw DataError(path: file, expected: "SHA-256 \(record.sha256)", found: hash, hint: "make it again with \(stage)")
            }
        }
    }
}

/// What can be said of a manifest without knowing its configuration's type.
public enum ManifestFile {
    public static let name = "manifest.json"

    public static func path(_ folder: String) -> String { (folder as NSString).appendingPathComponent(name) }

    public static func exists(in folder: String) -> Bool { FileSystem.exists(path(folder)) }

    /// Names a folder's content, all of it: the manifest holds the hash of every file.
    public static func sha256(folder: String) throws -> String { try FileSystem.sha256(of: path(folder)) }

    /// Which program made the folder.
    public static func stage(folder: String) throws -> String { try header(folder, stages: []).stage }

    /// A decoder's error in a few words; its own take a paragraph.
    static func words(_ error: Error) -> String {
        func place(_ context: DecodingError.Context, _ last: CodingKey? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context)?: return "no '\(place(context, key))'"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?: return "something else at '\(place(context))'"
        case .dataCorrupted(let context)?: return context.codingPath.isEmpty ? "no JSON" : "something else at '\(place(context))'"
        default: return error.localizedDescription
        }
    }

    struct Header: Codable {
        let formatVersion: Int
        let stage: String
    }

    static func header(_ folder: String, stages: [String]) throws -> Header {
        let path = path(folder)
        let wanted = stages.joined(separator: " or ")
        guard exists(in: folder) else {
            throw DataError(
                path: path, expected: wanted.isEmpty ? "a finished folder" : "a folder finished by \(wanted)",
                found: FileSystem.exists(folder) ? "no manifest" : "no folder",
                hint: stages.first.map { "\($0) --help says how to make it" }, kind: .missing)
        }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw DataError(path: path, expected: "a manifest", found: words(error), hint: "make the folder again\(stages.first.map { " with \($0)" } ?? "")")
        }
        guard stages.isEmpty || stages.contains(header.stage) else {
            throw DataError(
                path: path, expected: "a folder made by \(wanted)", found: "one made by \(header.stage)",
                hint: "\(stages[0]) --help says how to make it")
        }
        return header
    }
}
