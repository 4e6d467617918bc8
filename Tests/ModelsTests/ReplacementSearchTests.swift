import Kernels
import Tensors
import Testing

@testable import Models

/// Translations by running sums are those of networks that read the whole prefix anew at every step, greedy and beam.
struct ReplacementSearchTests {
    private static let maxTokens = 14
    private let fixture = SearchFixture(seed: 77)

    /// A hypothesis is its inputs so far; every step runs the network over all of them.
    private final class Recomputing: StepAttention {
        let replacement: FlattenedReplacement
        let weights: FloatBlock
        init(_ replacement: FlattenedReplacement, _ weights: FloatBlock) {
            (self.replacement, self.weights) = (replacement, weights)
        }

        func makeState() -> any StepState { State(self) }

        final class State: StepState {
            let owner: Recomputing
            let training: FlattenedTraining
            var sources: [[[Float]]] = []
            var slots: [[[Float]]] = []

            init(_ owner: Recomputing) {
                self.owner = owner
                training = FlattenedTraining(owner.replacement, weights: owner.weights, pool: WorkerPool(threads: 1))
            }

            func begin(_ memory: Matrix, _ sources: Packed, slots count: Int, _ space: Workspace) {
                self.sources = (0..<sources.sentences).map {
                    sources.range($0).map { row in (0..<memory.columns).map { memory[row, $0] } }
                }
                slots = Array(repeating: [], count: count)
            }

            func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
                for row in 0..<rows.count {
                    let slot = Int(rows.slots[row])
                    slots[slot] = (rows.position == 0 ? [] : slots[slot]) + [(0..<x.columns).map { x[row, $0] }]
                    let readsMemory = owner.replacement.shape.attention.readsMemory
                    let batch = FlattenedBatch(
                        input: side(slots[slot], space),
                        memory: readsMemory ? side(sources[Int(rows.sentences[row])], space) : nil)
                    context.row(row).update(from: training.predict(batch).row(rows.position), count: context.columns)
                }
            }

            func copy(from: Int, to: Int, positions: Int) { slots[to] = slots[from] }
        }
    }

    private struct RecomputingSentences: SentenceMap {
        let replacement: FlattenedReplacement
        let weights: FloatBlock

        func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
            let training = FlattenedTraining(replacement, weights: weights, pool: WorkerPool(threads: 1))
            for s in 0..<sentences.sentences {
                let tokens = sentences.range(s).map { row in (0..<x.columns).map { x[row, $0] } }
                y.rows(sentences.range(s)).copy(from: training.predict(FlattenedBatch(input: side(tokens, space))))
            }
        }
    }

    /// One sentence: position-major order is the order of its tokens.
    private static func side(_ tokens: [[Float]], _ space: Workspace) -> FlattenedSide {
        let x = space.matrix(tokens.count, tokens[0].count)
        for (row, values) in tokens.enumerated() { for (c, value) in values.enumerated() { x[row, c] = value } }
        return FlattenedSide(order: PositionMajor(lengths: [tokens.count], limit: maxTokens), x: x)
    }

    private func model(_ text: String, recomputing: Bool) throws -> TranslationModel {
        var networks: [Spec: (FlattenedReplacement, FloatBlock)] = [:]
        for spec in try text.split(separator: "+").flatMap({ try Spec(parsing: String($0)).layers(of: 2) }) {
            var layout = ParameterLayout()
            let replacement = FlattenedReplacement(
                spec, TeacherShape(width: 16, heads: 2, maxTokens: Self.maxTokens), &layout)
            let weights = layout.initialized(seed: UInt64(spec.layer! + 1))
            for slot in layout.slots where slot.name.hasSuffix("second.weight") {
                for i in slot.range { weights.base[i] *= 4 }
            }
            networks[spec] = (replacement, weights)
        }
        return fixture.translationModel { attention, layer in
            guard
                let (spec, network) = networks.first(where: {
                    $0.key.attention.captured == attention && $0.key.layer == layer
                })
            else { return nil }
            let bound = bound(spec, network.0, network.1, recomputing: recomputing)
            return (spec.family.span, BoundNetwork(bound, bounds: network.0.bounds))
        }
    }

    private func bound(
        _ spec: Spec, _ replacement: FlattenedReplacement, _ weights: FloatBlock, recomputing: Bool
    ) -> BoundContext {
        guard recomputing else {
            let frame = fixture.model.sublayer(spec.attention, spec.layer!).frame!
            let output = spec.family.span == .heads ? OutputProjection(frame.output, fixture.weights) : nil
            return replacement.bind(BoundWeights(block: weights, precision: .float32), output: output)
        }
        return spec.attention == .encoder
            ? .sentences(RecomputingSentences(replacement: replacement, weights: weights))
            : .steps(Recomputing(replacement, weights))
    }

    @Test(
        arguments: [
            "alr-h20.encoder", "alrr-h20.encoder", "aslr-h10.encoder", "elr-h20.encoder.1", "alr-h20.decoder",
            "alr-h20.cross", "alr-h20.crossfull",
            "alr-h20.encoder+alr-h12.decoder+alr-h9.cross",
        ], [1, 4])
    func theSameHypothesesAsFullRecomputation(_ text: String, beam: Int) throws {
        let sentences = fixture.sentences([3, 9, 1, 14, 6, 2], seed: UInt64(beam))
        func translate(recomputing: Bool) throws -> [Hypothesis] {
            Translator(
                try model(text, recomputing: recomputing), SearchConfiguration(beam: beam), batchTokens: 60,
                pool: WorkerPool(threads: 1)
            ).translate(sentences)
        }
        let found = try translate(recomputing: false), expected = try translate(recomputing: true)
        for (index, (a, b)) in zip(found, expected).enumerated() {
            #expect(a.ids == b.ids && a.isComplete == b.isComplete, "\(text) beam \(beam) sentence \(index)")
            #expect(abs(a.score - b.score) < 1e-4 * max(1, abs(b.score)))
        }
        let teacher = fixture.translator(SearchConfiguration(beam: beam)).translate(sentences)
        #expect(found.map(\.score) != teacher.map(\.score), "the network was not used")
    }

    /// A source longer than S and a translation that would outgrow it: cut, and said so.
    @Test func beyondTheLongestSentence() throws {
        fixture.output[0, Int(SpecialToken.end)] -= 100
        let found = Translator(
            try model("alr-h20.encoder+alr-h12.decoder", recomputing: false), SearchConfiguration(beam: 2),
            pool: WorkerPool(threads: 1)
        ).translate(fixture.sentences([20], seed: 4))[0]
        #expect(
            found.warnings == ["the source has 20 tokens; its first 14 were translated", "cut off after 14 tokens"])
        #expect(found.ids.count == 14 && !found.isComplete)
    }
}
