import Foundation
import Testing

@testable import Scoring

@Suite struct SignificanceTests {
    @Test func randomDrawsAreNumPys() {
        for draws in Golden.expected.draws {
            let seed = UInt64(draws.seed)!
            var generator = PCG64(seed: seed)
            #expect(draws.raw.indices.map { _ in String(generator.next64()) } == draws.raw, "seed \(seed)")
            for (bound, expected) in draws.integers {
                var generator = PCG64(seed: seed)
                let found = expected.map { _ in generator.integer(below: UInt32(bound)!) }
                #expect(found == expected, "seed \(seed), below \(bound)")
            }
            var coins = RandomBits(seed: seed)
            for (row, expected) in draws.heads.enumerated() {
                var found: [Int] = []
                coins.forEachHead(of: 45) { found.append($0) }
                #expect(found == expected, "seed \(seed), row \(row)")
            }
        }
    }

    @Test func meansRoundAsTheirModels() {
        for mean in Golden.expected.means {
            let context: Comment = "\(mean.values.count) values"
            #expect(Means.pairwise(mean.values) == mean.pairwise, context)
            #expect(Double(Means.pairwise(mean.values.map { Float($0) })) == mean.pairwise_single, context)
            #expect(Means.exact(mean.values) == mean.exact, context)
        }
        #expect(Means.exact([0, 0]) == 0)
        #expect(Means.exact([.leastNonzeroMagnitude, 3 * .leastNonzeroMagnitude]) == 2 * .leastNonzeroMagnitude)
        #expect(Means.exact([1e300, 1e-300, 1e300]) == 1e300 * (2.0 / 3))
    }

    @Test(arguments: Golden.expected.corpora.keys.sorted().filter { Golden.expected.corpora[$0]!.resamples > 0 })
    func confidence(corpus name: String) throws {
        let corpus = Golden.expected.corpora[name]!
        let (hypotheses, references) = Golden.texts(name)
        let bootstrap = Bootstrap(resamples: corpus.resamples)
        for (label, expected) in corpus.metrics {
            let report = try ScoreReport(
                hypotheses: hypotheses, references: [references], metrics: [metric(label)], bootstrap: bootstrap)
            #expect(report.entries[0].confidence?.mean == expected.mean, "\(name), \(label)")
            #expect(report.entries[0].confidence?.halfWidth == expected.ci, "\(name), \(label)")
            #expect(report.entries[0].signature.description == expected.signature_ci, "\(name), \(label)")
        }
    }

    @Test func pairedTests() throws {
        let systems = ["a", "b", "c"].map { Golden.lines("plain.\($0)") }
        let references = ["", ".2", ".3"].map { Golden.lines("plain.references\($0)") }
        for expected in Golden.expected.paired { try compare(systems, [references[0]], expected) }
        for expected in Golden.expected.paired_several { try compare(systems, references, expected) }
    }

    /// So little text that many resamples have no match at all, which changes the precision of what is averaged.
    @Test func pairedTestsOfAlmostNothing() throws {
        let (hypotheses, references) = Golden.texts("scarce")
        let systems = [hypotheses, ["a b", "a man", "w", "x"]]
        for expected in Golden.expected.paired_scarce { try compare(systems, [references], expected) }
    }

    private func compare(_ systems: [[String]], _ references: [[String]], _ expected: Golden.Paired) throws {
        let test = PairedTest(
            PairedTest.Method(rawValue: "paired-\(expected.kind)")!, trials: expected.trials, seed: expected.seed)
        for label in ["BLEU", "chrF2"] {
            let metric = metric(label)
            let signature = test.signature(of: metric, references: references.count)
            #expect(signature.description == expected.signatures[label])
            for index in 1..<systems.count {
                let result = try test.compare(
                    metric, baseline: systems[0], system: systems[index], references: references)
                let context: Comment = "\(expected.kind), \(label), system \(index)"
                #expect(golden(result.baseline) == expected.results[label]![0], context)
                #expect(golden(result.system) == expected.results[label]![index], context)
            }
        }
    }

    private func golden(_ system: PairedResult.System) -> Golden.Paired.System {
        .init(score: system.score, p: system.p, mean: system.confidence?.mean, ci: system.confidence?.halfWidth)
    }

    /// Against resamples that are put together sentence by sentence and scored as a corpus.
    @Test func theIntervalOfADifferenceIsOverTheSameResamples() throws {
        let (a, b) = (Golden.lines("plain.a"), Golden.lines("plain.b")), references = Golden.lines("plain.references")
        let metric = BLEU(), bootstrap = Bootstrap(resamples: 200, seed: 7)
        let baseline = try metric.statistics(hypotheses: a, references: references)
        let system = try metric.statistics(hypotheses: b, references: references)
        var generator = PCG64(seed: 7), differences: [Double] = []
        for _ in 0..<200 {
            let drawn = a.indices.map { _ in generator.integer(below: UInt32(a.count)) }
            let scores = [system, baseline].map { rows in metric.score(of: drawn.map { rows[$0] }).score }
            differences.append(scores[0] - scores[1])
        }
        differences.sort()
        let found = bootstrap.difference(metric, baseline: baseline, system: system)
        #expect(abs(found.lowerBound - differences[5]) < 1e-4 && abs(found.upperBound - differences[194]) < 1e-4)
        #expect(found.lowerBound < found.upperBound)
        #expect(bootstrap.difference(metric, baseline: system, system: system) == 0...0)
    }

    /// No resampled difference is larger than none: what sacreBLEU says of a system and itself, and is not taken for a
    /// result where models are compared.
    @Test(arguments: PairedTest.Method.allCases)
    func aSystemAgainstItself(method: PairedTest.Method) throws {
        let (hypotheses, references) = Golden.texts("plain")
        let found = try PairedTest(method, trials: 50)
            .compare(BLEU(), baseline: hypotheses, system: hypotheses, references: [references])
        #expect(found.system.p == 1.0 / 51 && found.absoluteDifference == 0)
    }
}
