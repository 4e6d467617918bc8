import CKernels
import Kernels
import Testing

@testable import Models

/// Distillation of networks on packed rows, against one sentence after another.
struct PackedDistillerTests {
    private static let specs = [
        "mix-k3r5v3.encoder", "mix-k8.decoder", "mix-k3r5.cross", "slots-k3d2v3.encoder", "slots-k3d2.decoder",
        "slots-k9d5.cross", "gain.encoder", "attention.decoder", "attention.cross",
    ]
    private static let width = 8

    /// A token's context is the token, times a gain whose gradient it adds itself.
    private struct Gain: ContextNetwork {
        let gain: Slot
        var bounds: (source: Int?, target: Int?) { (nil, nil) }

        func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
            let y = pass.workspace.matrix(x.rows, width)
            for row in 0..<x.rows { for c in 0..<width { y[row, c] = x[row, c] * pass.weights[gain][0, c] } }
            return ContextTape(x: x, context: y, keeping: 0, pass.workspace)
        }

        func backward(
            _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
            dmemory: Matrix?, _ pass: Pass
        ) {
            let sum = pass.gradient(gain)
            for row in 0..<tape.x.rows { for c in 0..<width { sum[0, c] += dcontext[row, c] * tape.x[row, c] } }
        }

        func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext { fatalError("it learns alone") }
    }

    private static func network(_ text: String, _ layout: inout ParameterLayout) throws -> any ContextNetwork {
        if text.hasPrefix("gain") { return Gain(gain: layout.add("gain", [width], .constant(1))) }
        guard text.hasPrefix("attention") else {
            return try Spec(parsing: text).network(TeacherShape(width: width, heads: 2, maxTokens: 6), &layout)
        }
        var shape = TransformerConfiguration(sourceVocabulary: 9, targetVocabulary: 9)
        (shape.width, shape.heads) = (width, 2)
        return MultiHeadAttention(shape, text.hasSuffix("cross") ? .cross : .decoder, stream: 1, &layout)
    }

    private struct Rows: RowSource {
        let stream: UInt32
        func read(_ row: Int, into y: UnsafeMutablePointer<Float>) {
            random_uniform(y, width, 7, stream, UInt32(row))
            for i in 0..<width { y[i] = 4 * y[i] - 2 }
        }
    }

    /// Sentences of these lengths, and what is learnt of them by one number of threads.
    private final class Fixture {
        let network: any ContextNetwork
        let layout: ParameterLayout
        let weights: FloatBlock
        let batch: DistillationBatch
        let pool: WorkerPool
        let distiller: any Distiller

        init(_ text: String, lengths: [Int], threads: Int = 1) throws {
            let isAttention = text.hasPrefix("attention"), lengths = isAttention ? lengths.map { min($0, 60) } : lengths
            var layout = ParameterLayout()
            network = try PackedDistillerTests.network(text, &layout)
            self.layout = layout
            weights = layout.initialized(seed: 5)
            func offsets(_ lengths: [Int]) -> [Int] { lengths.reduce(into: [0]) { $0.append($0.last! + $1) } }
            let reads = text.hasSuffix("cross")
            batch = DistillationBatch(
                sentences: ArraySlice((0..<lengths.count).reversed()), offsets: offsets(lengths),
                input: Rows(stream: 1), output: Rows(stream: 2), memory: reads ? Rows(stream: 3) : nil,
                memoryOffsets: offsets(lengths.map { isAttention ? 3 : $0 * 3 / 2 % 9 }))  // it has something to read
            pool = WorkerPool(threads: threads)
            var setting = DistillerSetting(weights: weights, slots: layout.slots, pool: pool)
            setting.readsMemory = reads
            distiller = PackedDistiller(network, width: width, setting)
        }

        func step() -> (squares: Double, tokens: Int, gradient: FloatBlock) {
            let gradient = FloatBlock(weights.count)
            let (squares, tokens) = distiller.step(batch, randomness: .off, GradientSum(gradient))
            return (squares, tokens, gradient)
        }

        func compared() -> [OutputComparison] {
            var result: [OutputComparison] = []
            distiller.compare(batch, &result)
            return result
        }

        func values(_ slot: Slot, of block: FloatBlock) -> [Float] { slot.range.map { block.base[$0] } }
        func values(_ block: FloatBlock) -> [Float] { layout.slots.flatMap { values($0, of: block) } }

        /// By the definition, 1/(T d) sum |y - output|^2, from passes over single sentences.
        func expected() -> (squares: Double, gradient: FloatBlock) {
            let space = Workspace(), gradient = FloatBlock(weights.count), tokens = batch.offsets.last!
            var squares = 0.0
            func rows(_ source: any RowSource, _ offsets: [Int], _ sentence: Int) -> (Matrix, Packed) {
                let x = space.matrix(offsets[sentence + 1] - offsets[sentence], width)
                for row in 0..<x.rows { source.read(offsets[sentence] + row, into: x.row(row)) }
                return (x, Packed([x.rows]))
            }
            for sentence in batch.sentences {
                space.reset()
                let pass = Pass(weights: weights, gradients: gradient, workspace: space)
                let (x, sentences) = rows(batch.input, batch.offsets, sentence),
                    target = rows(batch.output, batch.offsets, sentence).0
                let memory = batch.memory.map { rows($0, batch.memoryOffsets, sentence) }
                    .map { EncoderOutput(x: $0.0, sentences: $0.1) }
                let tape = network.forward(x, sentences, memory: memory, pass), dy = space.matrix(x.rows, width)
                for row in 0..<x.rows {
                    for c in 0..<width {
                        let error = tape.context[row, c] - target[row, c]
                        squares += Double(error * error)
                        dy[row, c] = 2 * error / Float(tokens * width)
                    }
                }
                network.backward(tape, sentences, memory: memory, dcontext: dy, dx: nil, dmemory: nil, pass)
            }
            return (squares, gradient)
        }
    }

    /// Of none to many tokens, and memories too; nothing at all; more than one round; one sentence that is a round.
    @Test(arguments: specs, [[3, 1, 0, 7, 2, 6, 40, 5], [], [0], [1], [1500, 2, 2000, 1500, 700, 3000], [9000, 1]])
    func gradientIsThatOfSingleSentences(_ text: String, _ lengths: [Int]) throws {
        let fixture = try Fixture(text, lengths: lengths, threads: 2), expected = fixture.expected()
        for _ in 0..<2 {
            let found = fixture.step()
            #expect(found.tokens == fixture.batch.offsets.last)
            #expect(abs(found.squares - expected.squares) <= 1e-5 * expected.squares)
            for slot in fixture.layout.slots {
                let own = fixture.values(slot, of: found.gradient), wanted = fixture.values(slot, of: expected.gradient)
                let size = wanted.reduce(0) { max($0, abs($1)) }
                #expect(zip(own, wanted).allSatisfy { abs($0 - $1) <= 2e-4 * size + 1e-7 }, "\(slot.name)")
            }
        }
    }

    @Test(arguments: specs) func threadsDoNotChangeABit(_ text: String) throws {
        let lengths = (0..<300).map { 1 + $0 * 7 % 23 }, one = try Fixture(text, lengths: lengths),
            expected = one.step(), compared = one.compared(), gradient = one.values(expected.gradient)
        #expect(gradient.contains { $0 != 0 })
        for threads in [2, 5, 16] {
            let fixture = try Fixture(text, lengths: lengths, threads: threads), found = fixture.step()
            #expect(
                found.squares == expected.squares && fixture.values(found.gradient) == gradient, "\(threads) threads")
            let again = fixture.compared()
            #expect(
                again.count == compared.count
                    && zip(again, compared).allSatisfy {
                        $0.squares == $1.squares && $0.cosines == $1.cosines && $0.tokens == $1.tokens
                    }, "\(threads) threads")
            #expect(fixture.distiller.mostThreads == (text.hasPrefix("gain") ? 2 : nil))
        }
    }

    /// Errors by position are those of the loss.
    @Test(arguments: specs) func comparisonsAddUpToTheLoss(_ text: String) throws {
        let lengths = [3, 1, 7, 2], fixture = try Fixture(text, lengths: lengths), compared = fixture.compared()
        #expect(compared.count == 7 && compared.map(\.tokens) == [4, 3, 2, 1, 1, 1, 1])
        let squares = fixture.expected().squares
        #expect(abs(compared.reduce(0) { $0 + $1.squares } - squares) < 1e-5 * squares)
    }

    /// A vector of zeros has no direction.
    @Test func aRowOfZerosHasAnErrorAndNoCosine() {
        let space = Workspace(), out = space.zeros(3, 2), targets = space.zeros(3, 2)
        (out[0, 0], targets[0, 0], targets[1, 1]) = (2, 3, 4)
        var comparison = OutputComparison()
        comparison.add(out, targets)
        #expect(comparison.squares == 17 && comparison.cosines == 1 && comparison.tokens == 1)
    }
}
