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
                memory.rows(batch.source.range(s)), oracle.run(source: source, target: target), within: 1e-5,
                atLeast: 1,
                "\(text): memory of sentence \(s)")
            for point in oracle.points {
                let found = pass.activations(point), expected = oracle.activations(point)
                let rows = point.attention == .encoder ? batch.source.range(s) : batch.target.range(s)
                for (what, found, expected) in [
                    ("input", found.input, expected.input), ("output", found.output, expected.output),
                ] {
                    expectClose(
                        found.rows(rows), expected, within: 1e-5, atLeast: 1,
                        "\(text): \(what) of \(point), sentence \(s)")
                }
            }
        }
    }
}
