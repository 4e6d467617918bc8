import Foundation
import Tensors
import Testing

@testable import Corpus

@Suite struct ShardTests {
    static func shard() -> TokenShard {
        var shard = TokenShard()
        shard.append(source: [3, 4, 5], target: [6])
        shard.append(source: [], target: [])
        shard.append(source: [7], target: [3, 3])
        return shard
    }

    @Test(arguments: [8, 65_536, 65_537]) func survivesAFile(_ vocabulary: Int) throws {
        try Fixtures.withFolder { folder in
            let path = folder + "/a.safetensors"
            try Self.shard().write(to: path, sourceVocabulary: vocabulary, targetVocabulary: 8)
            let read = try TokenShard(path: path, sourceVocabulary: vocabulary, targetVocabulary: 8)
            #expect(read == Self.shard())
            #expect(read.source.offsets == [0, 3, 3, 4])
            #expect(Array(read.target[2]) == [3, 3])
            #expect(try TensorFile(path: path).info("source.tokens").type == (vocabulary > 65_536 ? .i32 : .u16))
        }
    }

    @Test func refusesIdsBeyondTheVocabulary() throws {
        try Fixtures.withFolder { folder in
            let path = folder + "/a.safetensors"
            try Self.shard().write(to: path, sourceVocabulary: 8, targetVocabulary: 8)
            #expect(throws: DataError.self) { try TokenShard(path: path, sourceVocabulary: 7, targetVocabulary: 8) }
            #expect(throws: DataError.self) { try TokenShard(path: path, sourceVocabulary: 8, targetVocabulary: 6) }
        }
    }

    @Test(arguments: [[0, 3, 2, 4], [1, 3, 3, 4], [0, 3, 3, 5], [0, 4]])
    func refusesWrongOffsets(_ offsets: [Int]) throws {
        try Fixtures.withFolder { folder in
            let path = folder + "/a.safetensors"
            let writer = try TensorFileWriter(
                path: path,
                tensors: [
                    ("source.tokens", .u16, [4]), ("source.offsets", .i64, [offsets.count]),
                    ("target.tokens", .u16, [3]),
                    ("target.offsets", .i64, [4]),
                ])
            try writer.write("source.tokens", [UInt16](repeating: 3, count: 4))
            try writer.write("source.offsets", offsets)
            try writer.write("target.tokens", [UInt16](repeating: 3, count: 3))
            try writer.write("target.offsets", [0, 1, 2, 3])
            try writer.finish()
            #expect(throws: DataError.self) { try TokenShard(path: path, sourceVocabulary: 8, targetVocabulary: 8) }
        }
    }
}

@Suite struct TokenFolderTests {
    private func text(_ pairs: [(String, String)]) -> ParallelText {
        pairs.reduce(into: ParallelText()) { $0.append(source: $1.0, target: $1.1) }
    }

    @Test func filtersAndCounts() throws {
        let train = text([
            ("a b", "x y"), ("a b", "x y"), ("", "x"), ("a", ""), ("a b a b", "x"), ("a", "x y x"), ("a b a", "x y"),
            ("", ""),
        ])
        let valid = text([("a", "x"), ("", "y"), ("b", "y")])
        let test = text([("a b a b a b", "x"), ("", "")])
        let writer = TokenFolderWriter(
            corpus: "tiny", source: "en", target: "de", vocabulary: .init(kind: .word, size: 0), joint: false,
            filter: .init(maxTokens: 3, dropsDuplicates: true))
        try Fixtures.withFolder { folder in
            let output = try OutputFolder(folder)
            let configuration = try writer.write([.train: train, .valid: valid, .test: test], to: output)
            try output.publish(stage: TokenFolder.stage, configuration: configuration)

            let tokens = try TokenFolder(path: folder)
            #expect(tokens.configuration == configuration)
            let counts = configuration.splits["train"]!
            #expect(counts.read == 8)
            #expect(counts.kept == 2)
            #expect(
                counts.dropped == [
                    "empty source": 2, "empty target": 1, "source too long": 1, "target too long": 1, "duplicate": 1,
                ])
            #expect((counts.sourceTokens, counts.targetTokens) == (5, 4))

            #expect(try tokens.shard(.train).count == 2)
            #expect(try tokens.lines(.valid, .source) == ["a", "b"])
            #expect(try tokens.lines(.valid, .target) == ["x", "y"])
            #expect(try tokens.shard(.valid).count == 2)
            #expect(try tokens.lines(.test, .source) == ["a b a b a b", ""])
            #expect(try tokens.shard(.test).source.offsets == [0, 6, 6])
            #expect(tokens.source.encode("a") != tokens.target.encode("a"))
        }
    }

    @Test func theVocabularyIsOfTheTrainingTextAlone() throws {
        let writer = TokenFolderWriter(
            corpus: "tiny", source: "en", target: "de", vocabulary: .init(kind: .word, size: 0), joint: false,
            filter: .init(maxTokens: 9))
        try Fixtures.withFolder { folder in
            let output = try OutputFolder(folder), a = text([("a a", "x x")])
            let configuration = try writer.write(
                [.train: a, .valid: text([("b b", "y y")]), .test: text([("c c", "z z")])], to: output)
            try output.publish(stage: TokenFolder.stage, configuration: configuration)
            let tokens = try TokenFolder(path: folder), unknown = tokens.source.encode("q")
            #expect(tokens.source.encode("a") != unknown && tokens.target.encode("x") != unknown)
            for word in ["b", "c"] { #expect(tokens.source.encode(word) == unknown, "\(word)") }
            for word in ["y", "z"] { #expect(tokens.target.encode(word) == unknown, "\(word)") }
        }
    }

    @Test func learnsOneVocabularyForBothLanguages() throws {
        let pairs = text([("a b", "b c"), ("a b", "b c")])
        let writer = TokenFolderWriter(
            corpus: "tiny", source: "en", target: "de", vocabulary: .init(kind: .bpe, size: 20), joint: true,
            filter: .init(maxTokens: 50))
        try Fixtures.withFolder { folder in
            let output = try OutputFolder(folder)
            try output.publish(stage: TokenFolder.stage, configuration: try writer.write([.train: pairs], to: output))
            let tokens = try TokenFolder(path: folder)
            #expect(tokens.source.encode("a b c") == tokens.target.encode("a b c"))
            #expect(
                try FileSystem.sha256(of: folder + "/source.model") == FileSystem.sha256(of: folder + "/target.model"))
            #expect(try tokens.shard(.test).count == 0)
        }
    }

    @Test func refusesAFolderThatIsNotFinished() throws {
        try Fixtures.withFolder { folder in
            let error = #expect(throws: DataError.self) { try TokenFolder(path: folder) }
            #expect(error?.exitCode == 66)
        }
    }
}

@Suite struct HeldOutSplitTests {
    /// 300 pairs in which every third shares its source with a neighbour and every fifth its target.
    static let text: ParallelText = {
        var text = ParallelText()
        for index in 0..<300 {
            text.append(
                source: "s\(index / 3 * 3 + max(index % 3, 1))", target: "t\(index / 5 * 5 + max(index % 5, 1))")
        }
        return text
    }()

    private func split(
        _ text: ParallelText = text, valid: Int = 40, test: Int = 30, seed: UInt64 = 3
    ) throws -> [Split: ParallelText] {
        try HeldOutSplit(valid: valid, test: test, seed: seed).apply(to: text, name: "x")
    }

    @Test func partsNoSentenceFromItself() throws {
        let splits = try split()
        #expect(splits.values.reduce(0) { $0 + $1.count } == 300)
        #expect(splits[.valid]!.count <= 40 && splits[.valid]!.count > 30)
        #expect(splits[.test]!.count <= 30 && splits[.test]!.count > 20)
        for (a, b) in [(Split.train, Split.valid), (.train, .test), (.valid, .test)] {
            #expect(Set(splits[a]!.source).isDisjoint(with: splits[b]!.source))
            #expect(Set(splits[a]!.target).isDisjoint(with: splits[b]!.target))
        }
    }

    @Test func isTheSameInBothDirections() throws {
        let splits = try split()
        #expect(try split(Self.text.reversed) == splits.mapValues(\.reversed))
        #expect(try split(seed: 4) != splits)
    }

    @Test func nothingHeldOut() throws {
        #expect(try split(valid: 0, test: 0)[.train] == Self.text)
    }

    /// They would be dropped from the validation set, which then had fewer sentences than were asked for.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func pairsWithAnEmptySideAreTrainingText(seed: UInt64) throws {
        var text = ParallelText()
        for index in 0..<60 {
            text.append(source: index % 4 == 0 ? "" : "s\(index)", target: index % 6 == 0 ? " " : "t\(index)")
        }
        let splits = try split(text, valid: 12, test: 12, seed: seed)
        #expect(splits[.valid]!.count == 12 && splits[.test]!.count == 12 && splits[.train]!.count == 36)
        for held in [splits[.valid]!, splits[.test]!] { #expect(!(held.source + held.target).contains("")) }
        #expect(throws: DataError.self) { try split(text, valid: 20, test: 20) }  // 40 are whole
    }

    @Test func refusesToHoldOutEverything() throws {
        let error = #expect(throws: DataError.self) { try split(valid: 200, test: 100) }
        #expect(error?.found == "300")
    }
}
