import Foundation
import Tensors
import Testing

@testable import Corpus

/// Damage of every kind to files of every kind: what is read is read or refused, never a crash, and always in an error
/// of ours. `MUTATIONS` is how many of each kind are tried; the same number tries the same ones.
@Suite struct MutationTests {
    private static let rounds = ProcessInfo.processInfo.environment["MUTATIONS"].flatMap { Int($0) } ?? 1500

    /// SplitMix64, so that a failure can be had again.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            return StableHash.mixed(state)
        }
    }

    private func mutated(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let length = Int.random(in: 1...max(1, min(16, bytes.count - place)), using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1:
                bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2D, 0x39, 0x5B, 0x7B].randomElement(using: &random)!
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.removeSubrange(place..<place + length)
            case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
            case 5: for i in place..<place + length { bytes[i] = 0xFF }
            default: for i in place..<place + length { bytes[i] = UInt8.random(in: 0...255, using: &random) }
            }
        }
        return bytes
    }

    private func torture(_ name: String, _ bytes: [UInt8], _ read: ([UInt8]) throws -> Void) throws {
        try read(bytes)
        var random = Random(state: StableHash.value(name, seed: 1)), refused = 0
        for round in 0..<Self.rounds {
            let damaged = mutated(bytes, &random)
            do {
                try read(damaged)
            } catch let error as DataError {
                refused += 1
                #expect("\(error)".count < 1700 && !"\(error)".contains { $0.isNewline }, "\(name), round \(round)")
            } catch {
                Issue.record("\(name), round \(round): \(error)")
            }
        }
        #expect(refused > Self.rounds / 20, "\(name): damage is noticed")
    }

    @Test func archivesAndText() throws {
        try torture("gzip", ArchiveTests.gzip) { _ = try Zlib.inflate($0[...], .gzip, path: "x", limit: 1 << 20) }
        try torture("zip", ArchiveTests.zip) { bytes in
            let archive = try ZipArchive(bytes, path: "x")
            for member in archive.members where member.size < 1 << 20 { _ = try archive.content(member) }
        }
        try torture("tar", Zlib.inflate(ArchiveTests.tgz[...], .gzip, path: "x")) { _ = try TarArchive($0, path: "x") }
        let talk = "<m><doc docid=\"7\"><title>T</title><seg id=\"1\">a &amp; b</seg><seg id=\"2\">c</seg></doc></m>"
        try torture("xml", Array(talk.utf8)) { _ = try SegmentReader($0[...], path: "x") }
        try torture("text", Array("one\ntwo é\n\u{FEFF}three\r\n".utf8)) { _ = try TextLines.split($0, path: "x") }
        let words = "#words 1 lowercase=false\n<unk>\t0\n<s>\t0\n</s>\t0\na\t3\nb\t2\n"
        try torture("words", Array(words.utf8)) { _ = try WordModel($0, path: "x") }
    }

    @Test func shardsAndManifests() throws {
        try Fixtures.withFolder { folder in
            let shard = folder + "/train.safetensors"
            try ShardTests.shard().write(to: shard, sourceVocabulary: 8, targetVocabulary: 8)
            try torture("shard", FileSystem.read(shard)) { bytes in
                let path = try Fixtures.write(bytes, folder, "damaged")
                _ = try TokenShard(path: path, sourceVocabulary: 8, targetVocabulary: 8)
            }
            let output = try OutputFolder(folder + "/tokens")
            try FileSystem.writeAtomically(Data("x".utf8), to: output.path("file"))
            let configuration = TokensConfiguration(
                corpus: "c", source: "en", target: "de", vocabulary: VocabularySettings(kind: .word, size: 0),
                joint: true,
                sourceVocabularySize: 8, targetVocabularySize: 8, maxTokens: 50, splits: ["train": SplitStatistics()])
            try output.publish(stage: TokenFolder.stage, configuration: configuration)
            let manifest = ManifestFile.path(output.folder)
            try torture("manifest", FileSystem.read(manifest)) { bytes in
                try Data(bytes).write(to: URL(fileURLWithPath: manifest))
                _ = try PublishedFolder<TokensConfiguration>(output.folder, stage: TokenFolder.stage)
            }
        }
    }
}
