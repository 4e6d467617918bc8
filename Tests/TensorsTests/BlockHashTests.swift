import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct BlockHashTests {
    /// A folder with a file of three blocks and a part of a fourth, and the hashes of its blocks.
    private func withFolder(_ body: (_ path: String, _ hashes: String) throws -> Void) throws {
        try TemporaryFolder.with("blocks") { folder in
            let path = folder + "/numbers", hashes = folder + "/" + BlockHashes.fileName
            let writer = try TensorFileWriter(path: path, tensors: [("x", .f32, [50_000])])
            try writer.write("x", (0..<50_000).map { Float($0) })
            try writer.finish()
            try BlockHashes.write(of: ["numbers"], in: folder, to: hashes, BlockHashes.serial)
            try body(path, hashes)
        }
    }

    private func open(_ path: String, _ hashes: String) throws -> BlockCheckedFile {
        try BlockCheckedFile(path: path, BlockHashes(TensorFile(path: hashes)))
    }

    @Test func theyAreThoseOfTheBytes() throws {
        try withFolder { path, hashes in
            let bytes = Data(try FileSystem.read(path)), file = try TensorFile(path: hashes)
            let found = try Array(file.bytes("numbers"))
            #expect(found.count == 4 * 32)
            for block in 0..<4 {
                let piece = bytes[block << 16..<min((block + 1) << 16, bytes.count)]
                #expect(FileSystem.sha256(piece) == SHA256.hexadecimal(found[block * 32..<(block + 1) * 32]))
            }
        }
    }

    /// Bits of every block: found when the block is asked for, and not before.
    @Test(arguments: [200, 1 << 16, 100_000, (3 << 16) - 1, 3 << 16, 200_000])
    func aFlippedBitIsFoundWhereItIs(_ place: Int) throws {
        try withFolder { path, hashes in
            try Mutations.flipBit(of: path, at: place)
            let bad = place >> 16
            if bad == 0 {  // its block is that of the header
                #expect(throws: DataError.self) { try open(path, hashes) }
                return
            }
            let file = try open(path, hashes)
            for block in 1..<4 {
                file.request(UnsafeRawBufferPointer(rebasing: file.file.content[(block << 16) + 5..<(block << 16) + 6]))
                guard block == bad else {
                    try file.check(BlockHashes.serial)
                    continue
                }
                let error = #expect(throws: DataError.self) { try file.check(BlockHashes.serial) }
                #expect(error?.exitCode == 65)
                #expect("\(try #require(error))".contains("in bytes \(block << 16) to "))
                return
            }
        }
    }

    @Test func whatWasComparedIsNotComparedAgain() throws {
        try withFolder { path, hashes in
            let file = try open(path, hashes)
            file.requestAll()
            var compared = 0
            try file.check { count, body in
                compared += count
                for block in 0..<count { body(block) }
            }
            #expect(compared == 3)
            #expect(file.isWhole)
            file.requestAll()
            try file.check { count, _ in compared += count }
            #expect(compared == 3)
        }
    }

    @Test func aFileOfAnotherLengthIsRefused() throws {
        try withFolder { path, hashes in
            let writer = try TensorFileWriter(path: path, tensors: [("x", .f32, [10])])
            try writer.write("x", [Float](repeating: 1, count: 10))
            try writer.finish()
            #expect(throws: DataError.self) { try open(path, hashes) }
        }
    }
}
