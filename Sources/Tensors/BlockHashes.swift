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
                loop(shape[0]) { digest(file.content, block: $0, into: digests.baseAddress! + $0 * digestBytes) }
            }
            file.releasePages()
            try writer.write(name, digests)
        }
        try writer.finish()
    }

    /// The hashes of a file's blocks, one after another.
    fileprivate func digests(of other: TensorFile) throws -> UnsafeRawBufferPointer {
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
    fileprivate static func bytes(_ block: Int, of count: Int) -> Range<Int> {
        block * blockBytes..<min((block + 1) * blockBytes, count)
    }

    fileprivate static func digest(
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

/// A file of tensors whose blocks are compared with their hashes before they are used for the first time.
///
/// Once in a process is enough to know what the disk holds; that the system keeps what it has read is taken for
/// granted, as it is of everything that is in memory.
package final class BlockCheckedFile {
    package let file: TensorFile
    private let digests: UnsafeRawBufferPointer
    /// Keeps the mapping that `digests` points into.
    private let hashes: BlockHashes
    private var isRequested: [Bool]
    /// Blocks that were not compared yet.
    private var unchecked: Int
    /// Those of them that were asked for.
    private var pending: [Int] = []

    /// The header is checked here.
    package init(path: String, _ hashes: BlockHashes) throws {
        file = try TensorFile(path: path)
        digests = try hashes.digests(of: file)
        self.hashes = hashes
        unchecked = digests.count / BlockHashes.digestBytes
        isRequested = Array(repeating: false, count: unchecked)
        request(UnsafeRawBufferPointer(rebasing: file.content[..<file.dataStart]))
        try check(BlockHashes.serial)
    }

    /// Nothing is left to be compared.
    package var isWhole: Bool { unchecked == 0 }

    /// Asks for bytes of the file, which must lie in its mapping.
    package func request(_ bytes: UnsafeRawBufferPointer) {
        guard unchecked > 0, let start = bytes.baseAddress, bytes.count > 0 else { return }
        let first = start - file.content.baseAddress!, last = first + bytes.count - 1
        for block in first / BlockHashes.blockBytes...last / BlockHashes.blockBytes where !isRequested[block] {
            isRequested[block] = true
            pending.append(block)
        }
    }

    /// Asks for all of the file.
    package func requestAll() { request(file.content) }

    /// Compares what was asked for since the last time. A file that fails is of no more use.
    package func check(_ loop: BlockHashes.Loop) throws {
        guard !pending.isEmpty else { return }
        var differ = [Bool](repeating: false, count: pending.count)
        differ.withUnsafeMutableBufferPointer { differ in
            loop(pending.count) { differ[$0] = !matches(pending[$0]) }
        }
        if let bad = differ.firstIndex(of: true) { throw damage(pending[bad]) }
        unchecked -= pending.count
        pending.removeAll(keepingCapacity: true)
    }

    private func matches(_ block: Int) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: BlockHashes.digestBytes, alignment: 8) { found in
            BlockHashes.digest(file.content, block: block, into: found.baseAddress!)
            return memcmp(found.baseAddress!, recorded(block).baseAddress!, BlockHashes.digestBytes) == 0
        }
    }

    private func recorded(_ block: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: digests[block * BlockHashes.digestBytes..<(block + 1) * BlockHashes.digestBytes])
    }

    private func damage(_ block: Int) -> DataError {
        var found = [UInt8](repeating: 0, count: BlockHashes.digestBytes)
        BlockHashes.digest(file.content, block: block, into: &found)
        let bytes = BlockHashes.bytes(block, of: file.content.count)
        return DataError(
            path: file.path,
            expected: "SHA-256 \(SHA256.hexadecimal(recorded(block))) "
                + "in bytes \(bytes.lowerBound) to \(bytes.upperBound - 1)",
            found: SHA256.hexadecimal(found), hint: "capture again")
    }
}
