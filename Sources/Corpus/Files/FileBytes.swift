import Foundation
import Tensors

/// Whole files as bytes.
enum FileBytes {
    /// A file's content, decompressed if it starts like a gzip file, whatever its name.
    static func read(_ path: String) throws -> [UInt8] {
        let bytes = try readAsIs(path)
        return isGzip(bytes) ? try Zlib.inflate(bytes[...], .gzip, path: path) : bytes
    }

    static func readAsIs(_ path: String) throws -> [UInt8] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
            throw DataError(
                path: path, expected: "a file", found: isFolder.boolValue ? "a folder" : "no such file", kind: .missing)
        }
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        } catch {
            throw DataError(path: path, expected: "a readable file", found: error.localizedDescription, kind: .missing)
        }
    }

    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }
}
