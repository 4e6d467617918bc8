import CKernels
import Kernels

/// Forward and backward passes of a replacement over a batch, on any number of threads.
///
/// Work is dealt by columns of the hidden layer, by positions or by rows, so that every sum is added up by one task in
/// the order of the batch, or over blocks that depend on the batch or the network alone: the result has the same bits
/// whatever the number of threads. Blocks of weights are finished and updated one at a time, as soon as their gradient
/// is known, so that a gradient of the whole never exists.
package final class FlattenedTraining {
    let replacement: FlattenedReplacement
    let weights: FloatBlock
    /// Of the hidden layer.
    package var dropout: Float = 0
    /// Whether there is a hidden row for each prefix of the target, in place of one for the whole sentence.
    let seesPrefixes: Bool
    /// Of the pass as a whole.
    let space: Workspace
    private let pool: WorkerPool?
    private let threadSpaces: [Workspace]

    package init(_ replacement: FlattenedReplacement, weights: FloatBlock, pool: WorkerPool) {
        self.replacement = replacement
        self.weights = weights
        self.pool = pool
        seesPrefixes = replacement.isCausal
        space = Workspace()
        threadSpaces = (0..<pool.threads).map { _ in Workspace() }
    }

    /// On the caller's thread, within a pass through a whole model. There `crossfull` sees prefixes as in translation:
    /// the future would be the answer.
    init(_ replacement: FlattenedReplacement, within pass: Pass) {
        self.replacement = replacement
        weights = pass.weights
        pool = nil
        seesPrefixes = replacement.isCausal || replacement.shape.attention == .crossfull
        space = pass.workspace
        threadSpaces = [pass.workspace]
    }

    /// Outputs [tokens, d] in the input's order, valid until the next pass.
    package func predict(_ batch: FlattenedBatch) -> Matrix {
        reset()
        let out = space.matrix(batch.input.order.tokens, replacement.shape.width)
        let moments = InputMoments(self, batch)
        for index in replacement.networks.indices {
            let mark = space.mark
            output(forward(index, batch, moments, .off), into: out)
            space.release(to: mark)
        }
        return out
    }

    /// Mean squared error over the numbers of all tokens, 1/(T d) sum |y - targets|^2, differentiated. Returns the sum
    /// of squares.
    package func step(
        _ batch: FlattenedBatch, targets: Matrix, randomness: Randomness, _ sink: any GradientSink
    ) -> Double {
        require(
            targets.rows == batch.input.order.tokens && targets.columns == replacement.shape.width,
            "targets \(targets) for \(batch.input.x)")
        reset()
        let moments = InputMoments(self, batch)
        var squares = 0.0
        for index in replacement.networks.indices {
            let mark = space.mark
            squares += FlattenedBackward(self, forward(index, batch, moments, randomness), sink).run(
                .squaredError(targets))
            space.release(to: mark)
        }
        return squares
    }

    private func reset() {
        space.reset()
        for space in threadSpaces { space.reset() }
    }

    /// The stream of a network's hidden dropout.
    func hiddenDropout(_ network: Int, _ randomness: Randomness) -> dropout_t {
        randomness.dropout(dropout, stream: network)
    }

    // MARK: - Tasks

    /// For how many threads work is cut, which changes no bit.
    var cuts: Int { pool?.cutsFor ?? 1 }

    /// Runs `body` for each task, with a workspace of the thread's own.
    func run(_ tasks: Int, _ body: (_ task: Int, Workspace) -> Void) {
        func perform(_ task: Int, _ worker: Int) {
            let space = threadSpaces[worker], mark = space.mark
            body(task, space)
            space.release(to: mark)
        }
        if let pool { pool.run(tasks, perform) } else { for task in 0..<tasks { perform(task, 0) } }
    }

    /// Runs `body` for blocks of some rows, each of which is worked on by itself.
    func forEachRowBlock(of rows: Int, _ body: (Range<Int>) -> Void) {
        let cut = EvenCut(rows, for: 2 * cuts, unit: 16)
        run(cut.count) { task, _ in body(cut[task]) }
    }

    /// Runs `body` for blocks of the hidden layer, four for each thread: columns that products work on at once, and
    /// sentences where there are not enough of these.
    func forEachHiddenBlock(_ sentences: Int, _ body: (_ columns: Range<Int>, _ sentences: Range<Int>) -> Void) {
        let columns = hiddenColumns(for: cuts == 1 ? 1 : replacement.shape.hidden),
            rows = EvenCut(sentences, for: cuts == 1 ? 1 : (4 * cuts + columns.count - 1) / columns.count, unit: 16)
        run(columns.count * rows.count) { task, _ in body(columns[task % columns.count], rows[task / columns.count]) }
    }

    func hiddenColumns(for tasks: Int) -> EvenCut {
        EvenCut(replacement.shape.hidden, for: tasks, unit: Self.productColumns)
    }

    static let productColumns = product_columns()

    /// Runs `body` for each of 0..<positions with parts of some columns: more of them the more sentences reach it, so
    /// that no task keeps the threads waiting.
    func forEachPosition(
        _ positions: Int, _ order: PositionMajor, cutting columns: Int, unit: Int,
        _ body: (_ position: Int, _ columns: Range<Int>, Workspace) -> Void
    ) {
        let mark = space.mark, most = 1 + 2 * cuts, tasks = space.room(for: PositionTask.self, count: most * positions)
        var count = 0
        for position in 0..<positions {
            let cut = EvenCut(columns, for: 1 + 2 * cuts * order.count(position) / max(order.tokens, 1), unit: unit)
            for part in 0..<cut.count {
                tasks[count] = PositionTask(position: position, first: cut[part].lowerBound, end: cut[part].upperBound)
                count += 1
            }
        }
        run(count) { task, space in body(tasks[task].position, tasks[task].first..<tasks[task].end, space) }
        space.release(to: mark)
    }

    private struct PositionTask: BitwiseCopyable {
        let position: Int
        // columns, as a range is no plain value
        let first: Int
        let end: Int
    }

    /// x_j += x_(j-1), or x_(j+1) where `fromEnd`, of each sentence, in place: sums over all positions up to each.
    func runningSums(_ order: PositionMajor, _ x: Matrix, fromEnd: Bool = false) {
        let cut = EvenCut(order.sentences, for: 4 * cuts, unit: 1)
        run(cut.count) { part, _ in
            for step in 1..<max(order.positions, 1) {
                let position = fromEnd ? order.positions - step : step, places = order.reaching(position, cut[part])
                guard !places.isEmpty else { continue }
                let here = x.rows(order.rows(position, at: places)),
                    before = x.rows(order.rows(position - 1, at: places)),
                    (to, from) = fromEnd ? (before, here) : (here, before)
                add_rows(to.base, to.stride, from.base, from.stride, to.rows, to.columns)
            }
        }
    }
}

/// The hidden layer of one network: [sentences, H], or [tokens, H] where prefixes are seen.
struct HiddenLayer: BitwiseCopyable {
    /// leaky(pre)
    let y: Matrix
    /// dropout(LayerNorm(y))
    let h: Matrix
    let mean: UnsafeMutablePointer<Float>
    let rstd: UnsafeMutablePointer<Float>
    /// u = W1 g and v = W1 b + b1: [1, H]
    let u: Matrix
    let v: Matrix
}

/// What the forward pass of one network leaves for its backward pass.
struct FlattenedTape {
    /// Of the network among those of the replacement.
    let index: Int
    let batch: FlattenedBatch
    let moments: InputMoments
    let hidden: HiddenLayer
    let randomness: Randomness
}

/// Rows of the hidden layer: one for each sentence, or one for each prefix and so for each token.
struct HiddenRows {
    let order: PositionMajor
    let areOfPrefixes: Bool

    init(_ pass: FlattenedTraining, _ batch: FlattenedBatch) {
        order = batch.input.order
        areOfPrefixes = pass.seesPrefixes
    }

    var count: Int { areOfPrefixes ? order.tokens : order.sentences }
    var positions: Int { areOfPrefixes ? order.positions : (order.sentences > 0 ? 1 : 0) }

    /// Those that a block of outputs, or of the inputs, at this position has to do with.
    func rows(_ position: Int) -> Range<Int> { areOfPrefixes ? order.rows(position) : 0..<order.count(position) }
}
