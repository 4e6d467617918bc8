import Models
import Tensors
import Testing

/// Search with caches, fused products and batches against the definition with full recomputation.
struct SearchReferenceTests {
    private func compare(
        _ fixture: SearchFixture, _ configuration: SearchConfiguration, lengths: [Int], seed: UInt64
    ) -> [Hypothesis] {
        let sentences = fixture.sentences(lengths, seed: seed)
        let found = fixture.translator(configuration).translate(sentences)
        for (sentence, hypothesis) in zip(sentences, found) where !sentence.isEmpty {
            let expected = fixture.naiveSearch(sentence, configuration)
            let what = "seed \(seed), \(configuration.name), source \(sentence)"
            #expect(hypothesis.ids == expected.ids && hypothesis.isComplete == expected.isComplete, "\(what)")
            #expect(abs(hypothesis.score - expected.score) <= 1e-4 * max(1, abs(expected.score)), "\(what)")
            #expect(
                abs(hypothesis.logProbability - expected.logProbability) <= 1e-4 * max(1, abs(expected.logProbability)),
                "\(what)")
        }
        return found
    }

    /// Attention, and networks in all its places.
    @Test(arguments: [1, 2, 4, 5], [nil, "mix-k4r8", "slots-k4d4", "alr-h12"])
    func sameHypothesesAsFullRecomputation(beam: Int, networks: String?) {
        var outputs: Set<[Int32]> = [], complete = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            let fixture = SearchFixture(seed: seed, networks: networks)
            // these end less often by themselves, of a beam least of all
            if networks == "slots-k4d4" { fixture.output[0, Int(SpecialToken.end)] += beam == 1 ? 1 : 2 }
            let found = compare(
                fixture, SearchConfiguration(beam: beam), lengths: [1, 4, 2, 7, 1, 0, 3], seed: seed)
            outputs.formUnion(found.map(\.ids))
            complete += found.count { $0.isComplete }
        }
        #expect(outputs.count > 8, "the models say too little for the test to mean much")
        #expect(complete > 3 + 4 && complete < 21, "\(complete) of 21 end by themselves")
    }

    @Test(arguments: [0, 0.6, 1.5])
    func lengthPenalty(alpha: Double) {
        var configuration = SearchConfiguration(beam: 3)
        configuration.lengthPenalty = alpha
        _ = compare(SearchFixture(seed: 11), configuration, lengths: [5, 2, 6], seed: 11)
    }

    /// Heads of 8, 16 and 24 values fill a vector in part, wholly, and more than once; translations pass 16 and 32
    /// positions.
    @Test(arguments: [(16, 2), (16, 1), (24, 1)])
    func headsOfAnyWidthAndLongTranslations(width: Int, heads: Int) {
        var configuration = SearchConfiguration(beam: 3)
        configuration.forcedLength = 35
        let found = compare(
            SearchFixture(seed: 5, width: width, heads: heads), configuration, lengths: [18, 33], seed: 5)
        #expect(found.allSatisfy { $0.ids.count == 35 && !$0.ids.contains(SpecialToken.end) && $0.warnings.isEmpty })
    }

    @Test func unknownCanBeForbidden() {
        var configuration = SearchConfiguration(beam: 2)
        configuration.allowsUnknown = false
        let fixture = SearchFixture(seed: 8)
        fixture.output[0, Int(SpecialToken.unknown)] += 6
        #expect(fixture.translator(SearchConfiguration()).translate([[5, 6, 7]])[0].ids.contains(SpecialToken.unknown))
        let found = compare(fixture, configuration, lengths: [3, 5, 1], seed: 8)
        #expect(found.allSatisfy { !$0.ids.contains(SpecialToken.unknown) })
    }

    @Test func beamWiderThanTheVocabulary() {
        _ = compare(SearchFixture(seed: 3, vocabulary: 5), SearchConfiguration(beam: 12), lengths: [1, 2], seed: 3)
    }
}
