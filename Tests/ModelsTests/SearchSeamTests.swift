import Kernels
import Tensors
import Testing

@testable import Models

/// What takes part in translation in the place of an attention sees each hypothesis whole, in its own slot, and no
/// other.
struct SearchSeamTests {
    /// Contexts are sums of what was appended to the slot so far; keeps account of everything it is told.
    private final class Recorder: StepAttention {
        var rowCounts: [Int] = []
        var histories: Set<[Int32]> = []
        let bounds: (source: Int?, target: Int?)

        init(_ bounds: (source: Int?, target: Int?) = (nil, nil)) { self.bounds = bounds }

        func makeState() -> any StepState { State(self) }
    }

    private final class State: StepState {
        let recorder: Recorder
        var slots: [(tokens: [Int32], sum: [Float])] = []

        init(_ recorder: Recorder) { self.recorder = recorder }

        func begin(_ memory: Matrix, _ sources: Packed, slots count: Int, _ space: Workspace) {
            slots = Array(repeating: ([], Array(repeating: 0, count: memory.columns)), count: count)
        }

        func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
            recorder.rowCounts.append(rows.count)
            #expect(Set(rows.slots).count == rows.count)
            for row in 0..<rows.count {
                let slot = Int(rows.slots[row])
                #expect(slots[slot].tokens.count == rows.position)
                slots[slot].tokens.append(rows.tokens[row])
                for c in 0..<x.columns {
                    slots[slot].sum[c] += x[row, c]
                    context[row, c] = slots[slot].sum[c]
                }
                recorder.histories.insert(slots[slot].tokens)
            }
        }

        func copy(from: Int, to: Int, positions: Int) {
            #expect(slots[from].tokens.count == positions)
            slots[to] = slots[from]
        }
    }

    private let fixture = SearchFixture(seed: 31)

    private func translate(
        _ recorder: Recorder, _ configuration: SearchConfiguration, _ sentences: [[Int32]], at attention: Attention
    ) -> [Hypothesis] {
        let model = fixture.translationModel {
            $0 == attention && $1 == 1 ? (.heads, BoundNetwork(.steps(recorder), bounds: recorder.bounds)) : nil
        }
        return Translator(model, configuration, batchTokens: 10_000, pool: WorkerPool(threads: 1)).translate(sentences)
    }

    @Test(arguments: [1, 2, 5])
    func statesFollowTheirHypotheses(beam: Int) {
        for attention in [Attention.decoder, .cross] {
            let recorder = Recorder()
            let found = translate(
                recorder, SearchConfiguration(beam: beam), fixture.sentences([3, 5, 1, 8], seed: 1), at: attention)
            for hypothesis in found {
                let path = [SpecialToken.start] + hypothesis.ids
                #expect(recorder.histories.contains(hypothesis.isComplete ? path : path.dropLast()))
            }
        }
    }

    @Test func finishedHypothesesAndSentencesLeaveTheBatch() {
        fixture.output[0, Int(SpecialToken.end)] -= 2.5
        let recorder = Recorder()
        let found = translate(
            recorder, SearchConfiguration(), fixture.sentences([1, 2, 3, 4, 5, 6, 7, 8], seed: 3), at: .decoder)
        let steps = found.map { $0.ids.count + ($0.isComplete ? 1 : 0) }
        #expect(recorder.rowCounts == (0..<steps.max()!).map { position in steps.count { $0 > position } })
        #expect(Set(steps).count > 2, "the sentences end together: nothing was tested")
        let beams = Recorder()
        _ = translate(
            beams, SearchConfiguration(beam: 4), fixture.sentences([1, 2, 3, 4, 5, 6, 7, 8], seed: 3), at: .decoder)
        #expect(beams.rowCounts[0] == 8 && beams.rowCounts.max()! <= 32 && beams.rowCounts.last! < 8)
    }

    @Test func boundsOfAReplacementCutSourceAndTranslation() {
        var configuration = SearchConfiguration(beam: 2)
        configuration.maxLengthOffset = 500
        let source = fixture.sentences([9], seed: 9)[0]
        let recorder = Recorder((6, 5))
        fixture.output[0, Int(SpecialToken.end)] -= 100
        let found = translate(recorder, configuration, [source], at: .cross)[0]
        #expect(found.warnings == ["the source has 9 tokens; its first 6 were translated", "cut off after 5 tokens"])
        #expect(found.ids.count == 5 && recorder.rowCounts.count == 5)
        let cut = translate(Recorder((nil, 5)), configuration, [Array(source.prefix(6))], at: .cross)[0]
        #expect(cut.ids == found.ids && cut.score == found.score)
    }

    /// A map of sentences in each of its three places: what it is given and what becomes of its result.
    private struct Halving: SentenceMap {
        func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
            for row in 0..<x.rows { for c in 0..<x.columns { y[row, c] = x[row, c] / 2 } }
        }
    }

    @Test func encoderReplacementsAtEveryPlace() {
        let sentences = fixture.sentences([4, 1, 7], seed: 12)
        var seen: Set<[[Int32]]> = [fingerprint(fixture.translator(SearchConfiguration()).translate(sentences))]
        for span in Span.allCases {
            let halving = BoundNetwork(.sentences(Halving()), bounds: (12, nil))
            let model = fixture.translationModel { $0 == .encoder && $1 == 0 ? (span, halving) : nil }
            #expect(model.maximumSource == 12)
            let found = Translator(model, SearchConfiguration(), pool: WorkerPool(threads: 1)).translate(sentences)
            #expect(seen.insert(fingerprint(found)).inserted, "the same translations as without it or elsewhere")
        }
    }

    private func fingerprint(_ hypotheses: [Hypothesis]) -> [[Int32]] {
        hypotheses.map { $0.ids + [Int32(bitPattern: $0.score.bitPattern)] }
    }
}
