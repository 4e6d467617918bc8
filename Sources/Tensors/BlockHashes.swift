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
        EVP_Digest(
            content.baseAddress! + bytes.startIndex, bytes.count, digest.assumingMemoryBound(to: UInt8.self), nil,
            EVP_sha256(), nil)
    }
}

/// A file of tensors whose blocks are compared with their hashes before they are used for the first time.
///
/// Once in a process is enough to know what the disk holds; that the system keeps what it has read is taken for
/// granted, as it is of everything that is in memory.
package final class BlockCheckedFile {
    package let file: TensorFile
    private let digests: UnsafeRawBufferPointer
    private let hashes: BlockHashes
    private var isKnown: [Bool]
    private var unknown: Int
    /// Blocks that were asked for and not compared yet.
    private var wanted: [Int] = []

    /// The header is checked here.
    package init(path: String, _ hashes: BlockHashes) throws {
        file = try TensorFile(path: path)
        digests = try hashes.digests(of: file)
        self.hashes = hashes
        unknown = digests.count / BlockHashes.digestBytes
        isKnown = Array(repeating: false, count: unknown)
        want(UnsafeRawBufferPointer(rebasing: file.content[..<file.dataStart]))
        try check { for block in 0..<$0 { $1(block) } }
    }

    /// Nothing is left to be compared.
    package var isWhole: Bool { unknown == 0 }

    /// Asks for bytes of the file, which must lie in its mapping.
    package func want(_ bytes: UnsafeRawBufferPointer) {
        guard unknown > 0, let start = bytes.baseAddress, bytes.count > 0 else { return }
        let first = start - file.content.baseAddress!, last = first + bytes.count - 1
        for block in first / BlockHashes.blockBytes...last / BlockHashes.blockBytes where !isKnown[block] {
            isKnown[block] = true
            wanted.append(block)
        }
    }

    /// Asks for all of the file.
    package func wantAll() { want(file.content) }

    /// Compares what was asked for since the last time. A file that fails is of no more use.
    package func check(_ loop: BlockHashes.Loop) throws {
        guard !wanted.isEmpty else { return }
        var differ = [Bool](repeating: false, count: wanted.count)
        differ.withUnsafeMutableBufferPointer { differ in
            loop(wanted.count) { differ[$0] = !matches(wanted[$0]) }
        }
        if let bad = differ.firstIndex(of: true) { throw damage(wanted[bad]) }
        unknown -= wanted.count
        wanted.removeAll(keepingCapacity: true)
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
