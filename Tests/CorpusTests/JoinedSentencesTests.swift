import Testing

@testable import Corpus

@Suite struct JoinedSentencesTests {
    private func numbered(_ count: Int) -> ParallelText {
        (0..<count).reduce(into: ParallelText()) { $0.append(source: "s\($1)", target: "t\($1)") }
    }

    private func words(_ lines: [String]) -> [String] { lines.flatMap { $0.split(separator: " ").map(String.init) } }

    @Test(arguments: 1...9, [0, 1, 2, 7, 100]) func everySentenceOnceAndInOrder(_ most: Int, _ count: Int) {
        let text = numbered(count)
        let joined = JoinedSentences(most: most, seed: 3).apply(to: [.train: text])[.train]!
        #expect(words(joined.source) == text.source)
        #expect(words(joined.target) == text.target)
        for (source, target) in zip(joined.source, joined.target) {
            #expect(words([source]).map { $0.dropFirst() } == words([target]).map { $0.dropFirst() })
            #expect(words([source]).count <= most)
        }
    }

    @Test func whatWasSkippedStaysCounted() {
        var text = numbered(5)
        text.skip(2, "source markup")
        let joined = JoinedSentences(most: 3, seed: 1).apply(to: [.train: text])[.train]!
        #expect(joined.skipped == ["source markup": 2])
    }

    @Test func everyNumberIsAsLikely() {
        let joined = JoinedSentences(most: 4, seed: 1).apply(to: [.train: numbered(10_000)])[.train]!
        let counts = Dictionary(grouping: joined.source) { words([$0]).count }.mapValues(\.count)
        #expect(Set(counts.keys) == [1, 2, 3, 4])
        for (number, count) in counts { #expect((900...1100).contains(count), "\(count) texts of \(number)") }
    }

    @Test func theSeedDecides() {
        func texts(_ seed: UInt64) -> ParallelText {
            JoinedSentences(most: 5, seed: seed).apply(to: [.valid: numbered(200)])[.valid]!
        }
        #expect(texts(1) == texts(1))
        #expect(texts(1) != texts(2))
    }

    @Test(arguments: [1, 2, 4, 8, 1000]) func theTestHasExactlySoMany(_ exactly: Int) {
        let splits = [Split.train: numbered(100), .test: numbered(100)]
        let joined = JoinedSentences(most: 8, test: exactly, seed: 1).apply(to: splits)
        let sizes = joined[.test]!.source.map { words([$0]).count }
        #expect(sizes.dropLast().allSatisfy { $0 == exactly })
        #expect(sizes.reduce(0, +) == 100)
        // training text does not depend on what the test is
        #expect(joined[.train] == JoinedSentences(most: 8, seed: 1).apply(to: splits)[.train])
    }

    @Test func aPairWithoutASideStaysAlone() {
        var text = numbered(2)
        text.append(source: "", target: "t2")
        text.append(source: "s3", target: "")
        for (source, target) in zip(numbered(3).source, numbered(3).target) {
            text.append(source: source, target: target)
        }
        let joined = JoinedSentences(most: 1, test: 3, seed: 1).apply(to: [.test: text])[.test]!
        #expect(joined.source == ["s0 s1", "", "s3", "s0 s1 s2"])
        #expect(joined.target == ["t0 t1", "t2", "", "t0 t1 t2"])
    }

    @Test func theVocabularyStays() throws {
        let splits = [Split.train: numbered(500).reversed]
        func vocabulary(_ splits: [Split: ParallelText]) throws -> [String] {
            let vocabulary = try Vocabulary.learn(from: splits[.train]!.source, .init(kind: .bpe, size: 100), name: "x")
            return (0..<vocabulary.count).map { vocabulary.token($0) }
        }
        #expect(try vocabulary(splits) == vocabulary(JoinedSentences(most: 6, seed: 1).apply(to: splits)))
    }

    @Test func theTestIsNamedForItsTexts() {
        var configuration = TokensConfiguration(
            corpus: "c", source: "en", target: "de", vocabulary: .init(kind: .word, size: 0), joint: true,
            sourceVocabularySize: 4, targetVocabularySize: 4, maxTokens: 50, splits: ["test": .init()])
        #expect(configuration.testSet(.test) == "c.en-de.test")
        configuration.note(JoinedSentences(most: 8, test: 4, seed: 1), of: [.test: numbered(9)])
        #expect(configuration.testSet(.test) == "c.en-de.test.join-4")
        #expect(configuration.testSet(.valid) == "c.en-de.valid.join-1-8")
        #expect(configuration.splits["test"]?.sentences == 9)
        configuration.joined = JoinedSentences(most: 8, test: 1, seed: 1)
        #expect(configuration.testSet(.test) == "c.en-de.test")
    }
}
