import Kernels
import Models
import Tensors
import Testing

/// A sentence's translation is a function of the sentence alone, to the last bit of its score.
struct SearchBatchTests {
    private let fixture = SearchFixture(seed: 21, width: 32, heads: 4)
    private var sentences: [[Int32]] { fixture.sentences((0..<41).map { ($0 * 7) % 23 }, seed: 2) }

    /// Attention, and networks in its places, whose states follow the hypotheses of a beam.
    @Test(arguments: [nil, "mix-k4r8", "slots-k4d4", "alr-h12"], TranslationPrecision.allCases)
    func independentOfBatchAndOrderAndThreads(networks: String?, precision: TranslationPrecision) {
        let fixture = SearchFixture(seed: 21, width: 32, heads: 4, networks: networks)
        for beam in [1, 4] { independent(fixture, beam, precision) }
    }

    private func independent(_ fixture: SearchFixture, _ beam: Int, _ precision: TranslationPrecision) {
        let configuration = SearchConfiguration(beam: beam), sentences = sentences
        let alone = sentences.map { fixture.translator(configuration, precision).translate([$0])[0] }
        for (batchTokens, threads) in [(1, 1), (60, 1), (10_000, 1), (60, 2), (300, 3), (nil, 2)] {
            let translator = fixture.translator(configuration, precision, batchTokens: batchTokens, threads: threads)
            #expect(translator.translate(sentences) == alone, "batches of \(batchTokens ?? 0), \(threads) threads")
            #expect(
                translator.translate(sentences.reversed()) == alone.reversed(), "the same translator again, in reverse")
        }
    }

    /// Products of integers are others, and near.
    @Test(arguments: [nil, "mix-k4r8", "slots-k4d4", "alr-h12"])
    func integersChangeScoresALittle(networks: String?) {
        let fixture = SearchFixture(seed: 21, width: 32, heads: 4, networks: networks), sentences = sentences
        var configuration = SearchConfiguration()
        configuration.forcedLength = 8
        func probabilities(_ precision: TranslationPrecision) -> [Float] {
            fixture.translator(configuration, precision).translate(sentences).map(\.logProbability)
        }
        let exact = probabilities(.float32), mixed = probabilities(.mixed), bytes = probabilities(.int8)
        #expect(exact != bytes && (exact == mixed) == (networks == nil) && bytes != mixed)
        for other in [mixed, bytes] {
            let distance = zip(exact, other).reduce(0) { $0 + abs($1.0 - $1.1) },
                size = exact.reduce(0) { $0 + abs($1) }
            #expect(distance < 0.08 * size, "\(distance / size)")
        }
    }

    @Test func emptySourcesHaveEmptyTranslations() {
        let translator = fixture.translator(SearchConfiguration(beam: 2))
        #expect(translator.translate([]) == [])
        #expect(translator.translate([[], []]) == [Hypothesis(), Hypothesis()])
        let mixed = translator.translate([[], [4, 5], []])
        #expect(mixed[0] == Hypothesis() && mixed[2] == Hypothesis() && mixed[1] == translator.translate([[4, 5]])[0])
    }

    @Test func tooLongASourceIsCutWithAWarning() {
        var configuration = SearchConfiguration(beam: 2)
        (configuration.maxLengthRatio, configuration.maxLengthOffset) = (0, 4)
        let long = fixture.sentences([1040], seed: 6)[0], translator = fixture.translator(configuration)
        var expected = translator.translate([Array(long.prefix(1024))])[0]
        expected.warnings.insert("the source has 1040 tokens; its first 1024 were translated", at: 0)
        #expect(translator.translate([[3], long])[1] == expected)
    }

    @Test func aTranslationThatDoesNotEndStopsAtThePositionsAndSaysSo() {
        let fixture = SearchFixture(seed: 4, layers: 1)
        fixture.output[0, Int(SpecialToken.end)] -= 100
        var configuration = SearchConfiguration()
        configuration.maxLengthOffset = 5000
        let found = fixture.translator(configuration).translate([[5]])[0]
        #expect(found.ids.count == 1024 && !found.isComplete)
        #expect(found.warnings == ["cut off after 1024 tokens"])
    }

    @Test(arguments: [1, 3]) func probabilitiesThatAreNoNumbersGiveNoTranslationAndSaySo(_ beam: Int) {
        let fixture = SearchFixture(seed: 4, layers: 1)
        fixture.output[0, 7] = .infinity
        let found = fixture.translator(SearchConfiguration(beam: beam)).translate([[5]])[0]
        #expect(found.ids.isEmpty && !found.isComplete)
        #expect(found.warnings == ["no translation: the model's probabilities are not numbers"])
    }

    @Test func progressCountsUpAndMayStop() {
        struct Stop: Error {}
        var reports: [Int] = []
        let translator = fixture.translator(SearchConfiguration(), batchTokens: 20)
        _ = translator.translate(sentences) { reports.append($0) }
        #expect(reports.count > 1 && reports.last == 41 && reports == reports.sorted())
        #expect(throws: Stop.self) { try translator.translate(sentences) { _ in throw Stop() } }
        #expect(translator.translate([[4, 5]]).count == 1, "it still works afterwards")
    }
}
