import Kernels
import Testing

@testable import Models

/// What a teacher-forced pass step by step hands out, token for token, against passes of another kind.
struct SteppedPassTests {
    private let fixture = SearchFixture(seed: 41)
    /// Of sources and targets; `<s>` is one more position than a target has tokens.
    private let lengths = [(3, 5), (1, 1), (9, 0), (1, 20), (33, 16), (6, 1), (2, 48)]

    private func pairs(_ lengths: [(Int, Int)]) -> [([Int32], [Int32])] {
        Array(zip(fixture.sentences(lengths.map(\.0), seed: 1), fixture.sentences(lengths.map(\.1), seed: 2)))
    }

    private func expectClose(_ a: Matrix, _ b: Matrix, _ what: String) {
        #expect(a.rows == b.rows && a.columns == b.columns, "\(what)")
        var worst: Float = 0, scale: Float = 1
        for row in 0..<b.rows {
            for c in 0..<b.columns {
                worst = max(worst, a[row, c].isFinite ? abs(a[row, c] - b[row, c]) : .infinity)
                scale = max(scale, abs(b[row, c]))
            }
        }
        #expect(worst < 1e-5 * scale, "\(what): largest difference \(worst) of \(scale)")
    }

    private func sites(_ attentions: [Attention]) -> [CaptureSite] { SpliceOracle(fixture, []).sites.filter { attentions.contains($0.attention) } }

    /// A second batch, so large that its sources are encoded in several groups, and then a small one with what the first left behind.
    @Test func withoutReplacementsItIsTheOrdinaryPass() {
        let sites = sites([.encoder, .decoder, .cross])
        let stepped = SteppedPass(TranslationModel(fixture.model, weights: fixture.weights), sites: sites)
        let ordinary = TransformerPass(fixture.model, weights: fixture.weights)
        let many = (0..<120).map { (1 + $0 * 7 % 40, $0 * 5 % 23) }
        for (index, lengths) in [lengths, many, [(1, 0)], Array(lengths.reversed())].enumerated() {
            let batch = PairBatch(pairs(lengths))
            expectClose(stepped.run(batch), ordinary.run(batch), "batch \(index): memory")
            for site in sites {
                let found = stepped.activations(site), expected = ordinary.activations(site)
                expectClose(found.input, expected.input, "batch \(index): input of \(site)")
                expectClose(found.output, expected.output, "batch \(index): output of \(site)")
            }
        }
    }

    /// Layers that no site needs are not run; what is handed out is the same.
    @Test(arguments: [[Attention.encoder], [.decoder], [.cross]])
    func fewSites(_ attentions: [Attention]) {
        let sites = sites(attentions).filter { $0.layer == 0 }, batch = PairBatch(pairs(lengths))
        let stepped = SteppedPass(TranslationModel(fixture.model, weights: fixture.weights), sites: sites)
        let ordinary = TransformerPass(fixture.model, weights: fixture.weights)
        expectClose(stepped.run(batch), ordinary.run(batch), "memory")
        for site in sites {
            expectClose(stepped.activations(site).input, ordinary.activations(site).input, "input of \(site)")
            expectClose(stepped.activations(site).output, ordinary.activations(site).output, "output of \(site)")
        }
    }

    @Test(arguments: [
        "alr-h20.encoder.0", "alrr-h20.encoder.0", "aslr-h10.encoder.0", "elr-h20.encoder.0", "elr-h20.encoder.1",
        "alr-h20.decoder.0", "alr-h20.cross.0", "alr-h20.crossfull.0", "alr-h20.decoder.1",
        "elr-h16.encoder.0+alr-h12.decoder.0+alr-h9.cross.0", "alr-h8.encoder.0+alr-h8.encoder.1+alr-h8.crossfull.0",
    ])
    func whatIsStillThereSeesWhatTheNetworksSay(_ text: String) throws {
        let oracle = SpliceOracle(fixture, try text.split(separator: "+").map { try Spec(parsing: String($0)) }), pairs = pairs(lengths), batch = PairBatch(pairs)
        let pass = SteppedPass(TranslationModel(fixture.model, weights: fixture.weights, replacing: oracle.replacements), sites: oracle.sites)
        let memory = pass.run(batch)
        for (s, (source, target)) in pairs.enumerated() {
            expectClose(memory.rows(batch.source.range(s)), oracle.run(source: source, target: target), "\(text): memory of sentence \(s)")
            for site in oracle.sites {
                let found = pass.activations(site), expected = oracle.activations(site)
                let rows = site.attention == .encoder ? batch.source.range(s) : batch.target.range(s)
                expectClose(found.input.rows(rows), expected.input, "\(text): input of \(site), sentence \(s)")
                expectClose(found.output.rows(rows), expected.output, "\(text): output of \(site), sentence \(s)")
            }
        }
    }
}
