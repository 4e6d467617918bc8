import CKernels
import Kernels

/// Distillation of a flattened network: activations go straight from their rows into the order by position, and blocks
/// of weights are finished and updated one at a time.
final class FlattenedDistiller: Distiller {
    private let replacement: FlattenedReplacement
    private let training: FlattenedTraining
    private let pool: WorkerPool
    /// Activations of the present batch.
    private let space = Workspace()
    /// Kept for their memory.
    private var targetOrder = PositionMajor()
    private var memoryOrder = PositionMajor()
    var mostThreads: Int? { nil }

    init(_ replacement: FlattenedReplacement, _ setting: DistillerSetting) {
        self.replacement = replacement
        pool = setting.pool
        training = FlattenedTraining(replacement, weights: setting.weights, pool: pool)
        training.dropout = setting.dropout
    }

    func step(
        _ batch: DistillationBatch, randomness: Randomness, _ sink: any GradientSink
    ) -> (squares: Double, tokens: Int) {
        let (activations, targets) = read(batch)
        return (training.step(activations, targets: targets, randomness: randomness, sink), targets.rows)
    }

    func compare(_ batch: DistillationBatch, _ byPosition: inout [OutputComparison]) {
        let (activations, targets) = read(batch), out = training.predict(activations), order = activations.input.order
        while byPosition.count < order.positions { byPosition.append(OutputComparison()) }
        for position in 0..<order.positions {
            byPosition[position].add(out.rows(order.rows(position)), targets.rows(order.rows(position)))
        }
    }

    private func read(_ batch: DistillationBatch) -> (FlattenedBatch, targets: Matrix) {
        space.reset()
        arrange(&targetOrder, batch, batch.offsets)
        let order = targetOrder, x = gather(batch.input, batch, batch.offsets, order),
            targets = gather(batch.output, batch, batch.offsets, order)
        let input = FlattenedSide(order: order, x: x)
        guard replacement.shape.attention.readsMemory, let memory = batch.memory else {
            return (FlattenedBatch(input: input), targets)
        }
        arrange(&memoryOrder, batch, batch.memoryOffsets)
        let side = FlattenedSide(order: memoryOrder, x: gather(memory, batch, batch.memoryOffsets, memoryOrder))
        return (FlattenedBatch(input: input, memory: side), targets)
    }

    private func arrange(_ order: inout PositionMajor, _ batch: DistillationBatch, _ offsets: [Int]) {
        order.arrange(batch.sentences.count, limit: replacement.shape.maxTokens) { index in
            let sentence = batch.sentence(index)
            return offsets[sentence + 1] - offsets[sentence]
        }
    }

    private func gather(
        _ rows: any RowSource, _ batch: DistillationBatch, _ offsets: [Int], _ order: PositionMajor
    ) -> Matrix {
        let result = space.matrix(order.tokens, replacement.shape.width)
        // by sentences, whose tokens lie together, so that all threads share the waiting for pages
        let cut = EvenCut(order.sentences, for: 4 * pool.cutsFor, unit: 1)
        pool.run(cut.count) { part in
            for place in cut[part] {
                let first = offsets[batch.sentence(order.order[place])]
                var position = 0
                while place < order.count(position) {
                    rows.read(first + position, into: result.row(order.starts[position] + place))
                    position += 1
                }
            }
        }
        return result
    }
}
