import CKernels
import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

/// Outputs, every gradient and ten steps of training against PyTorch modules on padded sentences;
/// `Golden/replacements.py` says what is computed.
struct ReplacementGoldenTests {
    static let specs = ["alr-h9.encoder", "aslr-h5.encoder", "alr-h7.decoder", "alr-h8.cross", "alr-h6.crossfull"]
    private let S = 6, d = 4, heads = 2, rate: Float = 1e-2

    private let file: TensorFile

    init() throws {
        file = try TensorFile(
            path: Bundle.module.resourceURL!.appendingPathComponent("Golden/replacements.safetensors").path)
    }

    /// A replacement at the golden weights, on the golden batch.
    private final class Fixture {
        let replacement: FlattenedReplacement
        let layout: ParameterLayout
        let weights: FloatBlock
        let training: FlattenedTraining
        /// Row of the packed tensors for each row of the batch.
        let packedRows: [Int]
        let batch: FlattenedBatch
        let targets: Matrix
        private let owner: [FloatBlock]

        init(_ file: TensorFile, _ text: String, maxTokens: Int, width: Int, heads: Int) throws {
            var layout = ParameterLayout()
            let spec = try Spec(parsing: text)
            replacement = FlattenedReplacement(
                spec, TeacherShape(width: width, heads: heads, maxTokens: maxTokens), &layout)
            self.layout = layout
            weights = FloatBlock(layout.count)
            for slot in layout.slots {
                #expect(try file.info("\(text)/weight/\(slot.name)").shape == slot.shape)
                for (i, value) in try file.floats("\(text)/weight/\(slot.name)").enumerated() {
                    weights.base[slot.offset + i] = value
                }
            }
            training = FlattenedTraining(replacement, weights: weights, pool: WorkerPool(threads: 2))
            func side(_ name: String, _ lengths: String) throws -> (PositionMajor, Matrix, FloatBlock, [Int]) {
                let lengths = try file.integers("\(lengths).lengths"), values = try file.floats(name)
                let starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
                let order = PositionMajor(lengths: lengths, limit: maxTokens), block = FloatBlock(order.tokens * width)
                var rows: [Int] = []
                order.forEachRow { row, sentence, position in
                    rows.append(starts[sentence] + position)
                    for c in 0..<width { block.base[row * width + c] = values[rows[row] * width + c] }
                }
                return (order, block.matrix(order.tokens, width), block, rows)
            }
            let input = try side("target", "target"), memory = try side("memory", "source"),
                goal = try side("wanted", "target")
            packedRows = input.3
            batch = FlattenedBatch(
                input: FlattenedSide(order: input.0, x: input.1),
                memory: spec.attention.readsMemory ? FlattenedSide(order: memory.0, x: memory.1) : nil)
            targets = goal.1
            owner = [input.2, memory.2, goal.2]
        }

        func values(_ slot: Slot, of block: FloatBlock) -> [Float] {
            (0..<slot.count).map { block.base[slot.offset + $0] }
        }
    }

    private func fixture(_ text: String) throws -> Fixture {
        try Fixture(file, text, maxTokens: S, width: d, heads: heads)
    }

    /// Largest difference relative to the largest number of the tensor.
    private func expectClose(_ actual: [Float], _ name: String, within tolerance: Float) throws {
        let expected = try file.floats(name), scale = max(expected.map(abs).max()!, 1e-3)
        let differences = zip(actual, expected).map { abs($0 - $1) / scale }, worst = differences.worst
        #expect(actual.count == expected.count)
        #expect(
            worst <= tolerance,
            "\(name)[\(differences.firstIndex { !($0 < worst) } ?? 0)]: relative difference \(worst)")
    }

    @Test(arguments: specs) func outputsLossAndEveryGradient(_ text: String) throws {
        let fixture = try fixture(text), out = fixture.training.predict(fixture.batch)
        var packed = [Float](repeating: 0, count: out.count)
        for (row, to) in fixture.packedRows.enumerated() { for c in 0..<d { packed[to * d + c] = out[row, c] } }
        try expectClose(packed, "\(text)/output", within: 2e-6)

        let gradient = FloatBlock(fixture.layout.count)
        let squares = fixture.training.step(
            fixture.batch, targets: fixture.targets, randomness: .off, GradientSum(gradient))
        let loss = try Double(file.floats("\(text)/losses")[0])
        #expect(abs(squares / Double(fixture.targets.count) - loss) < 2e-6 * loss)
        for slot in fixture.layout.slots {
            try expectClose(fixture.values(slot, of: gradient), "\(text)/gradient/\(slot.name)", within: 1e-5)
        }
    }

    @Test(arguments: specs) func tenStepsOfAdam(_ text: String) throws {
        let fixture = try fixture(text)
        var steps = AdamSteps(fixture.weights)
        for (index, loss) in try file.floats("\(text)/losses").enumerated() {
            let t = Double(index + 1)
            steps.constants = adam_t(
                rate: rate, beta1: 0.9, beta2: 0.98, epsilon: 1e-9, correction1: Float(1 - pow(0.9, t)),
                correction2: Float(1 - pow(0.98, t)), decay: 0)
            let squares = fixture.training.step(
                fixture.batch, targets: fixture.targets, randomness: .off, steps)
            #expect(abs(squares / Double(fixture.targets.count) - Double(loss)) < 2e-5 * Double(loss), "step \(index)")
        }
        for slot in fixture.layout.slots {
            try expectClose(fixture.values(slot, of: fixture.weights), "\(text)/final/\(slot.name)", within: 2e-4)
        }
    }
}
