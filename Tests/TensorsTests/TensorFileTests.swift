import Foundation
import TestSupport
import Testing

@testable import Tensors

struct TensorFileTests {
    let folder = TemporaryFolder("tensors")

    @Test func whatWasWrittenIsRead() throws {
        let path = folder.file("a.safetensors")
        let writer = try TensorFileWriter(
            path: path,
            tensors: [
                ("half", .f16, [3]), ("w", .f32, [2, 3]), ("ids", .u16, [5]), ("offsets", .i64, [2]), ("n", .i32, []),
                ("b", .u8, [1]),
            ],
            metadata: ["stage": "test"])
        try writer.write("w", at: 3, [4, 5, 6] as [Float])
        try writer.write("w", at: 0, [1, 2, 3] as [Float])
        try writer.write("half", [0.5, -2, 65504] as [Float16])
        try writer.write("ids", [0, 1, 65535, 3, 4] as [UInt16])
        try writer.write("offsets", [0, 1 << 40])
        try writer.write("n", [-7] as [Int32])
        try writer.write("b", [255] as [UInt8])
        #expect(folder.names == ["a.safetensors.partial"])
        try writer.finish()
        #expect(folder.names == ["a.safetensors"])

        let file = try TensorFile(path: path)
        #expect(file.metadata == ["stage": "test"])
        #expect(file.tensors.map(\.name) == ["offsets", "w", "n", "half", "ids", "b"])
        #expect(try file.info("w").shape == [2, 3])
        #expect(try file.floats("w") == [1, 2, 3, 4, 5, 6])
        #expect(try file.floats("half") == [0.5, -2, 65504])
        #expect(try file.integers("ids") == [0, 1, 65535, 3, 4])
        #expect(try file.integers("offsets") == [0, 1 << 40])
        #expect(try file.integers("n") == [-7])
        #expect(try file.integers("b") == [255])
        #expect(try Array(file.view("w", as: Float.self)) == [1, 2, 3, 4, 5, 6])
        #expect(Int(bitPattern: try file.bytes("offsets").baseAddress!) % 64 == 0)
        for tensor in file.tensors {
            #expect(Int(bitPattern: try file.bytes(tensor.name).baseAddress!) % tensor.type.bytes == 0)
        }
        file.releasePages()
        #expect(try file.floats("w") == [1, 2, 3, 4, 5, 6])
    }

    /// Pages are given back in parts; what is read afterwards is what was written, across their borders too.
    @Test func pagesOfALargeFileAreReleasedInParts() throws {
        let path = folder.file("large"), count = 2_500_000, values = (0..<count).map { Float($0) }
        let writer = try TensorFileWriter(path: path, tensors: [("w", .f32, [count])])
        try writer.write("w", values)
        try writer.finish()
        let file = try TensorFile(path: path)
        #expect(try file.floats("w") == values)
        var parts: [Int] = []
        file.releasePages { count, release in
            for part in (0..<count).reversed() {
                parts.append(part)
                release(part)
            }
        }
        #expect(parts == [2, 1, 0])
        #expect(try file.floats("w") == values)
    }

    @Test func emptyTensorsAndFiles() throws {
        try TensorFileWriter(path: folder.file("none"), tensors: []).finish()
        #expect(try TensorFile(path: folder.file("none")).tensors.isEmpty)
        let writer = try TensorFileWriter(path: folder.file("zero"), tensors: [("z", .f32, [0, 4]), ("y", .u16, [0])])
        try writer.finish()
        #expect(try TensorFile(path: folder.file("zero")).floats("z") == [])
        #expect(try TensorFile(path: folder.file("zero")).info("z").shape == [0, 4])
    }

    @Test func anAbandonedWriterLeavesNothing() throws {
        var writer: TensorFileWriter? = try TensorFileWriter(path: folder.file("a"), tensors: [("w", .f32, [4])])
        try writer?.write("w", [1, 2] as [Float])
        #expect(throws: DataError.self) { try writer?.finish() }
        writer = nil
        #expect(folder.names == [])
    }

    @Test func theWriterRefusesWhatDoesNotFit() throws {
        let writer = try TensorFileWriter(path: folder.file("a"), tensors: [("w", .f32, [4])])
        #expect(throws: DataError.self) { try writer.write("w", at: 3, [1, 2] as [Float]) }
        #expect(throws: DataError.self) { try writer.write("w", at: -1, [1] as [Float]) }
        #expect(throws: DataError.self) { try writer.write("v", [1] as [Float]) }
        #expect(throws: DataError.self) { try writer.write("w", [1] as [Float16]) }
    }

    @Test func aPlaceThatCannotBeWrittenIsReported() throws {
        let error = #expect(throws: DataError.self) {
            _ = try TensorFileWriter(path: folder.file("absent/a"), tensors: [("w", .f32, [4])])
        }
        #expect(error?.kind == .cannotWrite && error?.exitCode == 73)
    }

    @Test func aTensorOfAnotherNameOrTypeIsReported() throws {
        let writer = try TensorFileWriter(path: folder.file("a"), tensors: [("w", .i32, [1])])
        try writer.write("w", [1] as [Int32])
        try writer.finish()
        let file = try TensorFile(path: folder.file("a"))
        #expect(throws: DataError.self) { try file.floats("w") }
        #expect(throws: DataError.self) { try file.view("w", as: Float.self) }
        let error = #expect(throws: DataError.self) { try file.info("v") }
        #expect(error?.description == "\(folder.file("a")): expected a tensor 'v', found w")
    }
}

/// Headers as an enemy or a failing disk would write them: an error each time, never a crash.
struct TensorFileCorruptionTests {
    let folder = TemporaryFolder("tensors")

    private func open(_ json: String, length: UInt64? = nil, data: Int) throws {
        var bytes = withUnsafeBytes(of: (length ?? UInt64(json.utf8.count)).littleEndian) { Data($0) }
        bytes += Data(json.utf8) + Data(count: data)
        try bytes.write(to: URL(fileURLWithPath: folder.file("x")))
        _ = try TensorFile(path: folder.file("x"))
    }

    @Test func aPlainHeaderIsAccepted() throws {
        try open(#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 8)
        try open(#"{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"__metadata__":{"a":"b"}}"#, data: 4)
    }

    @Test(arguments: [
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7),  // cut short
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9),  // appended to
        (#"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8),  // size and shape disagree
        (#"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,0]}}"#, 0),  // overflow
        (#"{"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#, 8),
        (#"{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}"#, 6),
        (#"{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8),
        (
            #"{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12
        ),
        (
            #"{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#,
            16
        ),
        (#"{"w":{"dtype":"F32","shape":[2]}}"#, 8),
        (#"{"w":[1,2]}"#, 0),
        (#"{"__metadata__":{"a":1}}"#, 0),
        (#"[]"#, 0), ("", 0), ("{", 0), ("\u{0}\u{0}", 0),
    ])
    func aDamagedHeaderIsRefused(json: String, data: Int) {
        let error = #expect(throws: DataError.self) { try open(json, data: data) }
        #expect(error?.exitCode == 65 && error?.path == folder.file("x"))
    }

    @Test(arguments: [UInt64.max, UInt64(Int64.max), 1 << 40, 100_000_001, 3])
    func anImpossibleHeaderLengthIsRefused(length: UInt64) {
        #expect(throws: DataError.self) { try open("{}", length: length, data: 0) }
    }

    @Test func filesTooShortOrAbsentAreRefused() throws {
        for count in 0..<8 {
            try Data(count: count).write(to: URL(fileURLWithPath: folder.file("x")))
            #expect(throws: DataError.self) { _ = try TensorFile(path: folder.file("x")) }
        }
        let absent = #expect(throws: DataError.self) { _ = try TensorFile(path: folder.file("y")) }
        #expect(absent?.exitCode == 66)
        #expect(throws: DataError.self) { _ = try TensorFile(path: folder.path) }
    }
}
