import Foundation

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
