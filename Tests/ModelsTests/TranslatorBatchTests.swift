import Kernels
import Testing

@testable import Models

/// How sentences are dealt to batches.
struct TranslatorBatchTests {
    private func translator(_ specs: [String], beam: Int, threads: Int = 1) -> Translator {
        let fixture = TransformerFixture(.tiny(layers: 1), replacing: specs)
        return Translator(
            fixture.model, weights: fixture.weights, search: SearchConfiguration(beam: beam),
            pool: WorkerPool(threads: threads))
    }

    private func sizes(_ translator: Translator, _ lengths: [Int]) -> [Int] {
        let sentences = lengths.map { [Int32](repeating: 3, count: $0) }, batches = translator.batches(of: sentences)
        #expect(batches.joined().sorted() == lengths.indices.filter { lengths[$0] > 0 })
        #expect(batches.joined().map { lengths[$0] } == lengths.filter { $0 > 0 }.sorted(by: >))
        return batches.map(\.count)
    }

    private static let mixers = ["mix-k3.decoder.0", "slots-k3d2.cross.0"]

    /// Short ones are limited by their number, long ones by their tokens; where nothing grows with the position these
    /// may be more.
    @Test(arguments: [[], mixers]) func rowsAndTokens(_ specs: [String]) {
        let most = specs.isEmpty ? 6_000 : 24_000
        for (beam, rows) in [(1, 108), (4, 27), (7, 15)] {
            let translator = translator(specs, beam: beam)
            let short = sizes(translator, [Int](repeating: 5, count: 2 * rows + 1))
            #expect(short.count == 3 && short.max()! - short.min()! <= 1, "\(short)")
            // as many tokens in one long sentence as in all short ones
            let mixed = sizes(translator, [500] + [Int](repeating: 1, count: 500 / beam))
            #expect(mixed.allSatisfy { $0 <= 2 * rows }, "\(mixed)")
            let long = sizes(translator, [Int](repeating: 1000, count: 50))
            let own = max(1, (50_000 * beam + most - 1) / most)
            #expect(long.allSatisfy { abs(Double($0) - 50 / Double(own)) < 1 }, "\(long)")
        }
        #expect(sizes(translator(specs, beam: 1), [0, 4, 0, 900, 2]) == [3])
        #expect(sizes(translator(specs, beam: 64), [3, 3, 3, 3]) == [1, 2, 1])
    }

    /// Each thread has about the same number of tokens.
    @Test func equalWork() {
        let lengths = (0..<100).map { 1 + $0 * 7 % 60 }
        for threads in [2, 3, 8] {
            let translator = translator([], beam: 1, threads: threads), total = lengths.reduce(0, +)
            let sorted = lengths.sorted(by: >), sizes = sizes(translator, lengths)
            #expect(sizes.count == threads, "\(sizes)")
            var start = 0
            for size in sizes {
                let tokens = sorted[start..<start + size].reduce(0, +)
                #expect(tokens <= total / threads + 60)
                start += size
            }
        }
    }
}
