import Kernels
import Testing

@testable import Models

/// What a teacher-forced pass through a spliced model hands out, token for token, against the computation the long way.
struct SplicedPassTests {
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

    @Test(arguments: [
        "alr-h20.encoder.0", "alrr-h20.encoder.0", "aslr-h10.encoder.0", "elr-h20.encoder.0", "elr-h20.encoder.1",
        "alr-h20.decoder.0", "alr-h20.cross.0", "alr-h20.crossfull.0", "alr-h20.decoder.1",
        "elr-h16.encoder.0+alr-h12.decoder.0+alr-h9.cross.0", "alr-h8.encoder.0+alr-h8.encoder.1+alr-h8.crossfull.0",
    ])
    func whatIsStillThereSeesWhatTheNetworksSay(_ text: String) throws {
        let oracle = SpliceOracle(fixture, try text.split(separator: "+").map { try Spec(parsing: String($0)) }),
            pairs = pairs(lengths), batch = PairBatch(pairs)
        let (model, weights) = try oracle.spliced(), pass = TransformerPass(model, weights: weights)
        let memory = pass.run(batch)
        for (s, (source, target)) in pairs.enumerated() {
            expectClose(
                memory.rows(batch.source.range(s)), oracle.run(source: source, target: target),
                "\(text): memory of sentence \(s)")
            for site in oracle.sites {
                let found = pass.activations(site), expected = oracle.activations(site)
                let rows = site.attention == .encoder ? batch.source.range(s) : batch.target.range(s)
                expectClose(found.input.rows(rows), expected.input, "\(text): input of \(site), sentence \(s)")
                expectClose(found.output.rows(rows), expected.output, "\(text): output of \(site), sentence \(s)")
            }
        }
    }
}
