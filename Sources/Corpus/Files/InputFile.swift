import Foundation
import Tensors

/// A document from outside: read once, for a pipe cannot be read again, and hashed by the same hand, so that what has
/// been read is known. Readers of text take nothing else.
package struct InputFile: Sendable {
    /// What it is to whoever reads it, such as `train source`.
    package let role: String
    package let path: String
    /// Where it can be found again; nil of standard input and other pipes.
    package let place: String?
    /// As they are in the file.
    package let bytes: [UInt8]
    package let sha256: String

    fileprivate init(_ role: String, _ path: String) throws {
        self.role = role
        self.path = path
        bytes =
            path == InputFiles.standardInput
            ? try FileSystem.read(STDIN_FILENO, path: "standard input") : try FileSystem.read(path)
        sha256 = FileSystem.sha256(Data(bytes))
        place = path != InputFiles.standardInput && FileSystem.isRegular(path) ? path : nil
    }

    /// Decompressed, if the file begins like a gzip file, whatever its name.
    var content: [UInt8] {
        get throws { FileFormat(bytes) == .gzip ? try Gzip.inflate(bytes[...], path: path) : bytes }
    }

    /// Text, plain or gzip, not yet cut into lines.
    package var text: [UInt8] {
        get throws {
            let content = try content
            try content.withUnsafeBufferPointer { try FileFormat.requireText($0, path: path) }
            return content
        }
    }

    /// Lines of text, plain or gzip.
    package var lines: [String] {
        get throws { try TextLines.split(content, path: path) }
    }
}

/// Opens documents and keeps account of all that it has opened.
package final class InputFiles {
    /// The path that stands for standard input.
    package static let standardInput = "-"

    package private(set) var all: [InputFile] = []

    package init() {}

    /// A file, a pipe, or `-`.
    package func open(_ role: String, _ path: String) throws -> InputFile {
        if path == Self.standardInput, all.contains(where: { $0.path == path }) {
            throw DataError(path: "standard input", expected: "to be read once", found: "-, given a second time")
        }
        let file = try InputFile(role, path)
        all.append(file)
        return file
    }
}
