import Foundation
import TestSupport
import Testing

@testable import Tensors

/// What was whole stays whole until its successor is.
struct OutputFolderTests {
    private let folder = TemporaryFolder("tensors")
    private var path: String { folder.file("run") }

    private func publish(_ files: [String: String]) throws {
        let output = try OutputFolder(path)
        for (name, text) in files { try FileSystem.writeAtomically(Data(text.utf8), to: output.path(name)) }
        try output.publish(stage: "train", configuration: [1])
    }

    private func contents() throws -> [String: String] {
        let folder = try PublishedFolder<[Int]>(path)
        return try folder.manifest.files.keys.reduce(into: [:]) {
            $0[$1] = String(decoding: try FileSystem.read(folder.file($1)), as: UTF8.self)
        }
    }

    @Test func aNewResultIsMadeBesideTheOldOne() throws {
        try publish(["a": "1", "b": "2"])
        let output = try OutputFolder(path)
        try FileSystem.writeAtomically(Data("new".utf8), to: output.path("a"))
        #expect(try contents() == ["a": "1", "b": "2"])
        try output.publish(stage: "train", configuration: [1])
        #expect(try contents() == ["a": "new"])
        #expect(try FileSystem.names(in: path) == ["a", "manifest.json"], "nothing of the old one, nothing unfinished")
    }

    @Test func aDamagedManifestThatWasOnItsWayOutIsNamed() throws {
        try FileSystem.makeFolder(path + "/.unfinished")
        for text in ["{", "[]", "{\"files\": 1}"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/.unfinished/manifest.json"))
            let error = #expect(throws: DataError.self) { try OutputFolder(path) }
            #expect(error?.path == path + "/.unfinished/manifest.json" && error?.exitCode == 65)
            #expect(error?.hint?.hasPrefix("delete ") == true)
        }
    }

    /// Dead at every point of taking the old one's place: whoever opens the folder next finishes it.
    @Test func whatADeadProcessHadBegunToPublishIsFinished() throws {
        for point in 0...3 {
            try? FileManager.default.removeItem(atPath: path)
            try publish(["a": "1", "gone": "2"])
            let new = path + "/.unfinished"
            try FileSystem.makeFolder(new)
            for (name, text) in ["a": "3", "b": "4", "checkpoint": "5"] {
                try FileSystem.writeAtomically(Data(text.utf8), to: new + "/" + name)
            }
            let files = try ["a", "b"].map {
                ($0, FileRecord(sha256: try FileSystem.sha256(of: new + "/" + $0), bytes: 1))
            }
            let manifest = Manifest(
                stage: "train", spec: nil, configuration: [1], inputs: [:],
                files: Dictionary(uniqueKeysWithValues: files))
            try FileSystem.writeAtomically(JSONEncoder().encode(manifest), to: new + "/manifest.json")
            if point >= 1 { try FileSystem.move(path + "/manifest.json", to: new + "/replaced.json") }
            if point >= 2 { try FileSystem.move(new + "/a", to: path + "/a") }
            if point >= 3 { try FileSystem.move(new + "/b", to: path + "/b") }
            _ = try OutputFolder(path)
            #expect(try contents() == ["a": "3", "b": "4"], "dead at point \(point)")
            #expect(try FileSystem.names(in: path) == ["a", "b", "manifest.json"], "dead at point \(point)")
        }
    }

    @Test func aFileIsReachedPastItsHashAlone() throws {
        try publish(["a": "whole", "b": "2"])
        try Data("whale".utf8).write(to: URL(fileURLWithPath: path + "/a"))
        let published = try PublishedFolder<[Int]>(path, stage: "train")
        #expect(try published.file("b") == path + "/b")
        let error = #expect(throws: DataError.self) { try published.file("a") }
        #expect(error?.path == path + "/a" && error?.exitCode == 65)
        #expect(throws: DataError.self) { try published.file("c") }
    }

    @Test func messagesAreOneShortLine() {
        let error = DataError(path: "x\ny", expected: "a", found: String(repeating: "z\n\u{1B}", count: 1000))
        #expect(!"\(error)".contains { $0.isNewline || $0 == "\u{1B}" })
        #expect("\(error)".count < 1000)
        #expect(
            "\(DataError.reading("p", code: EIO))" == "p: expected a readable file, found input/output error (error 5)")
        #expect(DataError.reading("p", code: EIO).exitCode == 74 && DataError.writing("p", code: EFBIG).exitCode == 74)
        #expect(DataError.reading("p", code: ENOMEM).exitCode == 71)
    }

    /// Where the system goes.
    @Test func whatLeadsOutOfALinkIsWhereItLeads() throws {
        try FileSystem.makeFolder(folder.file("a/deep"))
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "a/deep")
        try FileManager.default.createSymbolicLink(atPath: folder.file("gone"), withDestinationPath: "nowhere")
        let root = FilePath.resolved(folder.file("."))
        #expect(FilePath.absolute(root + "/link/../x") == root + "/a/x")
        #expect(FilePath.absolute(root + "/link/x/..") == root + "/link")
        #expect(FilePath.absolute(root + "/gone/../x") == root + "/x" && FilePath.absolute("/no/../x") == "/x")
    }

    @Test func wordsOfAShell() {
        #expect(FilePath.quoted("a/b-c_1.txt") == "a/b-c_1.txt" && FilePath.quoted("") == "''")
        #expect(FilePath.quoted("a b's") == "'a b'\\''s'")
    }

    @Test func pathsAreNotExpanded() {
        #expect(FilePath.absolute("/a/./b//../c/") == "/a/c")
        #expect(FilePath.absolute("~/x") == FileManager.default.currentDirectoryPath + "/~/x")
        #expect(FilePath.parent("/a") == "/" && FilePath.name("/a/b/") == "b")
        #expect(
            FilePath.lies("/a/b/c", in: "/a/b") && !FilePath.lies("/a/bc", in: "/a/b") && FilePath.lies("/a", in: "/"))
    }
}
