import Foundation
import TestSupport
import Testing

@testable import Tensors

struct ManifestTests {
    private struct Configuration: Codable, Equatable {
        let width: Int
        let language: String
    }

    let folder = TemporaryFolder("tensors")
    private let configuration = Configuration(width: 128, language: "de")

    private func publish(_ name: String = "run") throws -> (folder: String, hash: String) {
        let output = try OutputFolder(folder.file(name))
        try FileSystem.writeAtomically(Data("hello".utf8), to: output.path("words.txt"))
        try FileSystem.writeAtomically(Data("state".utf8), to: output.temporaryPath("checkpoint"))
        let hash = try output.publish(
            stage: "tokenize", spec: "alr-m.encoder", configuration: configuration, inputs: ["corpus": "00"])
        return (output.folder, hash)
    }

    @Test func whatWasPublishedIsRead() throws {
        let (path, hash) = try publish()
        let opened = try PublishedFolder<Configuration>(path, stage: "train", "tokenize"), manifest = opened.manifest
        #expect(manifest.stage == "tokenize" && manifest.spec == "alr-m.encoder")
        #expect(manifest.configuration == configuration && manifest.inputs == ["corpus": "00"])
        let sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        #expect(manifest.files == ["words.txt": FileRecord(sha256: sum, bytes: 5)])
        #expect(try opened.file("words.txt") == path + "/words.txt")
        #expect(opened.publication.sha256 == hash && opened.publication.bytes == 5)
        #expect(try ManifestFile.sha256(folder: path) == hash)
        #expect(try FileSystem.names(in: path) == ["manifest.json", "words.txt"])
        #expect(try publish("again").hash == hash)
    }

    @Test func whatIsWrongIsSaid() throws {
        let absent = #expect(throws: DataError.self) {
            try PublishedFolder<Configuration>(folder.file("none"), stage: "train")
        }
        #expect(absent?.exitCode == 66 && absent?.hint?.contains("train") == true)

        let (path, _) = try publish()
        #expect(throws: DataError.self) { try PublishedFolder<Configuration>(path, stage: "train") }
        #expect(throws: DataError.self) { try PublishedFolder<[Int]>(path, stage: "tokenize") }

        try Data("hullo".utf8).write(to: URL(fileURLWithPath: path + "/words.txt"))
        let opened = try PublishedFolder<Configuration>(path)
        #expect(throws: DataError.self) { try opened.file("words.txt") }
        try Data("hell".utf8).write(to: URL(fileURLWithPath: path + "/words.txt"))
        #expect(throws: DataError.self) { try PublishedFolder<Configuration>(path) }
    }

    /// What is published there later has another name.
    @Test func aFolderIsNamedAsItWasWhenItWasOpened() throws {
        let (path, hash) = try publish()
        let opened = try PublishedFolder<Configuration>(path)
        try OutputFolder(path).publish(stage: "tokenize", configuration: configuration)
        #expect(try ManifestFile.sha256(folder: path) != hash)
        #expect(opened.publication.sha256 == hash)
    }

    @Test func aFileOfAnotherFormatVersionIsRefused() throws {
        let (path, _) = try publish()
        let file = ManifestFile.path(path)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacingOccurrences(of: "\"formatVersion\" : 1", with: "\"formatVersion\" : 2")
            .write(toFile: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: DataError.self) { try PublishedFolder<Configuration>(path) }
        #expect(error?.expected == "format version 1" && error?.found == "2")
    }
}

struct FileSystemTests {
    let folder = TemporaryFolder("tensors")

    @Test func atomicWriteReplacesAndLeavesNoPartialFile() throws {
        try FileSystem.writeAtomically(Data("a".utf8), to: folder.file("f"))
        try FileSystem.writeAtomically(Data("bc".utf8), to: folder.file("f"))
        #expect(try String(contentsOfFile: folder.file("f"), encoding: .utf8) == "bc")
        #expect(folder.names == ["f"])
        #expect(try FileSystem.size(of: folder.file("f")) == 2)
        #expect(throws: DataError.self) { try FileSystem.writeAtomically(Data(), to: folder.file("none/f")) }
    }

    @Test func hashOfALongFile() throws {
        let million = Data(repeating: UInt8(ascii: "a"), count: 1_000_000)
        try FileSystem.writeAtomically(million + million, to: folder.file("f"))
        #expect(try FileSystem.sha256(of: folder.file("f")) == FileSystem.sha256(million + million))
        // FIPS 180-2, appendix B.3
        #expect(FileSystem.sha256(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func freeBytesOfAPlaceThatDoesNotExistYet() throws {
        #expect(try FileSystem.freeBytes(at: folder.file("a/b/c")) > 0)
        #expect(try FileSystem.freeBytes(at: "relative/path") > 0)
    }

    @Test(.enabled(if: FileSystem.exists("/dev/full"))) func aFullDiskIsReported() throws {
        let descriptor = try FileSystem.create("/dev/full")
        let error = #expect(throws: DataError.self) {
            try [UInt8](repeating: 0, count: 8).withUnsafeBytes {
                try FileSystem.write($0, descriptor, at: 0, path: "/dev/full")
            }
        }
        #expect(error?.kind == .noSpace && error?.exitCode == 74)
    }
}
