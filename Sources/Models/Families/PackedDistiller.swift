import CKernels
import Kernels

/// Distillation of a network that works on packed rows. A batch is cut into a fixed number of slices, whose sums are
/// added in order: the result has the same bits whatever the number of threads.
final class PackedDistiller: Distiller {
    private let network: any ContextNetwork
    private let setting: DistillerSetting
    private let width: Int
    private let slices: [Slice]

    /// Gradients of such networks are small, so that a block for each slice costs little.
    private static let sliceCount = 8
    var mostThreads: Int? { Self.sliceCount }

    private final class Slice {
        let space = Workspace()
        let gradients: FloatBlock
        var sentences = Packed()
        var sources = Packed()
        /// Places in the batch.
        var places = 0..<0
        var squares = 0.0
        /// What was put out, and what should have been, in its workspace.
        var compared: (out: Matrix, targets: Matrix)?

        init(parameters: Int) { gradients = FloatBlock(parameters) }
    }

    init(_ network: any ContextNetwork, width: Int, _ setting: DistillerSetting) {
        self.network = network
        self.width = width
        self.setting = setting
        slices = (0..<Self.sliceCount).map { _ in Slice(parameters: setting.weights.count) }
    }

    func step(
        _ batch: DistillationBatch, randomness: Randomness, _ sink: GradientSink
    ) -> (squares: Double, tokens: Int) {
        let tokens = deal(batch), scale = 2 / Float(max(tokens, 1) * width)
        setting.pool.run(slices.count) { index in
            let slice = slices[index]
            slice.space.reset()
            let pass = Pass(
                weights: setting.weights, gradients: slice.gradients, workspace: slice.space,
                randomness: randomness.ofSlice(index))
            learn(batch, slice, scale, pass)
        }
        apply(sink)
        return (slices.reduce(0) { $0 + $1.squares }, tokens)
    }

    private func learn(_ batch: DistillationBatch, _ slice: Slice, _ scale: Float, _ pass: Pass) {
        let space = slice.space, (x, memory) = inputs(batch, slice)
        let tape = network.forward(x, slice.sentences, memory: memory, pass)
        let targets = rows(batch.output, batch.offsets, batch, slice, slice.sentences.tokens)
        let dy = space.matrix(x.rows, width), none = space.zeros(1, width)
        dy.copy(from: tape.context)
        slice.squares = squared_error(
            dy.base, none.base, targets.base, targets.stride, dy.rows, width, scale, space.take(width))
        network.backward(tape, slice.sentences, memory: memory, dcontext: dy, dx: nil, dmemory: nil, pass)
    }

    func compare(_ batch: DistillationBatch, _ byPosition: inout [OutputComparison]) {
        _ = deal(batch)
        setting.pool.run(slices.count) { index in
            let slice = slices[index]
            slice.space.reset()
            let (x, memory) = inputs(batch, slice),
                targets = rows(batch.output, batch.offsets, batch, slice, slice.sentences.tokens)
            let pass = Pass(weights: setting.weights, workspace: slice.space)
            slice.compared = (network.forward(x, slice.sentences, memory: memory, pass).context, targets)
        }
        for slice in slices {
            guard let (out, targets) = slice.compared else { continue }
            for s in 0..<slice.sentences.sentences {
                while byPosition.count < slice.sentences.length(s) { byPosition.append(OutputComparison()) }
                for (position, row) in slice.sentences.range(s).enumerated() {
                    byPosition[position].add(out.rows(row..<row + 1), targets.rows(row..<row + 1))
                }
            }
        }
    }

    // MARK: - Sentences

    /// Gives each slice the sentences that follow, of about as many tokens as the others'. Returns all tokens.
    private func deal(_ batch: DistillationBatch) -> Int {
        let total = batch.sentences.reduce(0) { $0 + batch.offsets[$1 + 1] - batch.offsets[$1] }
        var place = 0, tokens = 0
        for (index, slice) in slices.enumerated() {
            slice.sentences.removeAll()
            slice.sources.removeAll()
            let first = place
            while place < batch.sentences.count,
                index == slices.count - 1 || tokens * slices.count < total * (index + 1)
            {
                let sentence = batch.sentence(place), length = batch.offsets[sentence + 1] - batch.offsets[sentence]
                slice.sentences.append(length: length)
                if batch.memory != nil {
                    slice.sources.append(length: batch.memoryOffsets[sentence + 1] - batch.memoryOffsets[sentence])
                }
                tokens += length
                place += 1
            }
            slice.places = first..<place
        }
        return total
    }

    private func inputs(_ batch: DistillationBatch, _ slice: Slice) -> (Matrix, EncoderOutput?) {
        let x = rows(batch.input, batch.offsets, batch, slice, slice.sentences.tokens)
        guard let memory = batch.memory else { return (x, nil) }
        let source = rows(memory, batch.memoryOffsets, batch, slice, slice.sources.tokens)
        return (x, EncoderOutput(x: source, sentences: slice.sources))
    }

    /// A slice's tokens, one sentence after another.
    private func rows(
        _ source: any RowSource, _ offsets: [Int], _ batch: DistillationBatch, _ slice: Slice, _ tokens: Int
    ) -> Matrix {
        let result = slice.space.matrix(tokens, width)
        var row = 0
        for place in slice.places {
            let sentence = batch.sentence(place)
            for token in offsets[sentence]..<offsets[sentence + 1] {
                source.read(token, into: result.row(row))
                row += 1
            }
        }
        return result
    }

    // MARK: - Gradients

    /// Adds up the slices' gradients, which are left zero.
    private func apply(_ sink: GradientSink) {
        let slots = setting.slots
        setting.pool.run(slots.count) { index in
            let at = slots[index].offset, count = slots[index].count, sum = slices[0].gradients.base + at
            for slice in slices.dropFirst() {
                let own = slice.gradients.base + at
                add_rows(sum, count, own, count, 1, count)
                own.update(repeating: 0, count: count)
            }
        }
        let factor = clippingFactor()
        setting.pool.run(slots.count) { index in
            let slot = slots[index], sum = slices[0].gradients.base + slot.offset
            if factor < 1 { for i in 0..<slot.count { sum[i] *= factor } }
            switch sink {
            case .gradient(let block): add_rows(block.base + slot.offset, slot.count, sum, slot.count, 1, slot.count)
            case .update(let moment1, let moment2, let adam):
                adam_step(
                    setting.weights.base + slot.offset, moment1.base + slot.offset, moment2.base + slot.offset, sum,
                    slot.count,
                    slot.withoutDecay(adam))
            }
            sum.update(repeating: 0, count: slot.count)
        }
    }

    /// What the gradient is multiplied by so that its norm is at most `clip`.
    private func clippingFactor() -> Float {
        guard let clip = setting.clip else { return 1 }
        var squares = 0.0
        for slot in setting.slots {
            let gradient = slices[0].gradients.base + slot.offset
            for i in 0..<slot.count { squares += Double(gradient[i]) * Double(gradient[i]) }
        }
        return Float(min(1, Double(clip) / max(squares.squareRoot(), .leastNormalMagnitude)))
    }
}
