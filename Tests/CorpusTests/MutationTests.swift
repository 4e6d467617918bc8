import Foundation
import Tensors
import TestSupport
import Testing

@testable import Corpus

/// Damage of every kind to files of every kind, for which see `Mutations`.
@Suite struct MutationTests {
    private func torture(_ name: String, _ bytes: [UInt8], every: Int = 1, _ read: ([UInt8]) throws -> Void) {
        let outcome = Mutations.outcome(name, bytes, every: every, accepts: { $0 is DataError }, read)
        #expect(outcome.problems == [])
        #expect(outcome.refused >= outcome.rounds / 20, "\(name): damage is noticed")
    }

    @Test func archivesAndText() throws {
        let long = #expect(throws: DataError.self) { try Gzip.inflate(ArchiveTests.gzip[...], path: "x", limit: 2) }
        #expect(long?.expected == "no more than 2 bytes of text")
        torture("gzip", ArchiveTests.gzip) { _ = try Gzip.inflate($0[...], path: "x", limit: 1 << 20) }
        torture("zip", ArchiveTests.zip) { bytes in
            let archive = try ZipArchive(bytes, path: "x")
            for member in archive.members where member.size < 1 << 20 { _ = try archive.content(member) }
        }
        try torture("tar", Gzip.inflate(ArchiveTests.tgz[...], path: "x")) { _ = try TarArchive($0, path: "x") }
        let talk = "<m><doc docid=\"7\"><title>T</title><seg id=\"1\">a &amp; b</seg><seg id=\"2\">c</seg></doc></m>"
        torture("xml", Array(talk.utf8)) { _ = try SegmentReader($0[...], path: "x") }
        torture("text", Array("one\ntwo é\n\u{FEFF}three\r\n".utf8)) { _ = try TextLines.split($0, path: "x") }
        let words = "#words 1 lowercase=false\n<unk>\t0\n<s>\t0\n</s>\t0\na\t3\nb\t2\n"
        torture("words", Array(words.utf8)) { _ = try WordModel($0, path: "x") }
    }

    /// Nearly all of a model is its table of normalization, and all the rest where there is none.
    @Test(arguments: [VocabularySettings.Kind.bpe, .unigram], ["nmt_nfkc", "identity"]) func sentencePieceModels(
        _ kind: VocabularySettings.Kind, _ normalization: String
    ) throws {
        let settings = VocabularySettings(kind: kind, size: 60, normalization: normalization)
        let model = try SentencePieceModel.learn(from: VocabularyTests.lines, settings, name: "x")
        torture("sentencepiece.\(kind).\(normalization)", model.bytes, every: 2) { bytes in
            let read = try SentencePieceModel(bytes, path: "x")
            for line in VocabularyTests.lines { _ = read.decode(read.encode(line)) }
            _ = read.decode(Array(0..<read.count))
            _ = read.listing
        }
    }

    @Test func aFolderOfTalks() throws {
        let talk = "<m><doc docid=\"7\"><seg id=\"1\">a b</seg><seg id=\"2\">c</seg></doc></m>"
        try Fixtures.withFolder { folder in
            let names = ["dev2010", "tst2015"].flatMap { set in
                ["en", "de"].map { "IWSLT17.TED.\(set).en-de.\($0).xml" }
            }
            for name in names { _ = try Fixtures.write(talk, folder, name) }
            for side in ["en", "de"] { _ = try Fixtures.write("hello\nyou\n", folder, "train.tags.en-de.\(side)") }
            for name in ["train.tags.en-de.de", names[0], names[3]] {
                try torture("talks/\(name)", FileSystem.read(folder + "/" + name), every: 4) { bytes in
                    _ = try Fixtures.write(bytes, folder, name)
                    defer { _ = try? Fixtures.write(name.hasSuffix("xml") ? talk : "hello\nyou\n", folder, name) }
                    let corpus = try IWSLTCorpus(archives: [folder], through: InputFiles())
                    _ = try corpus.train(source: "en", target: "de")
                    for set in corpus.testSets(source: "en", target: "de") {
                        _ = try corpus.test(set, source: "en", target: "de")
                    }
                }
            }
        }
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
