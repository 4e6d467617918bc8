import COpenSSL
import Foundation

/// SHA-256 of every 64 KiB of files that are too large to be hashed as a whole before they are used: whoever reads them
/// compares block by block.
///
/// The hashes stand in a file beside them, for each file a tensor U8 [blocks, 32] under its name. The manifest names
/// that file like every other.
package struct BlockHashes {
    package static let fileName = "blocks.safetensors"
    static let blockBytes = 1 << 16
    static let digestBytes = 32
    /// Blocks that are resident at a time while a file is hashed, 64 MiB.
    private static let blocksMapped = 1024

    /// Calls a body once for each of 0..<count, perhaps on several threads.
    package typealias Loop = (_ count: Int, _ body: (Int) -> Void) -> Void
    package static let serial: Loop = { count, body in for block in 0..<count { body(block) } }

    private let file: TensorFile

    package init(_ file: TensorFile) { self.file = file }

    /// Hashes files that are whole, all in one folder.
    package static func write(of names: [String], in folder: String, to path: String, _ loop: Loop) throws {
        let shapes = try names.map { [blocks(try FileSystem.size(of: FilePath.join(folder, $0))), digestBytes] }
        let writer = try TensorFileWriter(path: path, tensors: zip(names, shapes).map { ($0, .u8, $1) })
        for (name, shape) in zip(names, shapes) {
            let file = try TensorFile(path: FilePath.join(folder, name))
            var digests = [UInt8](repeating: 0, count: shape[0] * digestBytes)
            digests.withUnsafeMutableBytes { digests in
                for start in stride(from: 0, to: shape[0], by: blocksMapped) {
                    loop(min(blocksMapped, shape[0] - start)) { block in
                        let block = start + block
                        digest(file.content, block: block, into: digests.baseAddress! + block * digestBytes)
                    }
                    file.releasePages()
                }
            }
            try writer.write(name, digests)
        }
        try writer.finish()
    }

    /// The hashes of a file's blocks, one after another.
    func digests(of other: TensorFile) throws -> UnsafeRawBufferPointer {
        let name = FilePath.name(other.path), info = try file.info(name)
        let shape = [Self.blocks(other.content.count), Self.digestBytes]
        guard info.type == .u8, info.shape == shape else {
            throw DataError(
                path: file.path, expected: "U8 \(shape) in '\(name)'", found: "\(info.type.rawValue) \(info.shape)")
        }
        return try file.bytes(name)
    }

    private static func blocks(_ bytes: Int) -> Int { (bytes + blockBytes - 1) / blockBytes }

    /// What lies in a block, the last of which is shorter.
    static func bytes(_ block: Int, of count: Int) -> Range<Int> {
        block * blockBytes..<min((block + 1) * blockBytes, count)
    }

    static func digest(
        _ content: UnsafeRawBufferPointer, block: Int, into digest: UnsafeMutableRawPointer
    ) {
        let bytes = content[bytes(block, of: content.count)]
        guard
            EVP_Digest(
                content.baseAddress! + bytes.startIndex, bytes.count, digest.assumingMemoryBound(to: UInt8.self), nil,
                EVP_sha256(), nil) == 1
        else { fatalError("libcrypto makes no SHA-256") }
    }
}
