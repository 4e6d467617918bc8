import CKernels
import Kernels

/// Forward and backward passes of a replacement over a batch, on any number of threads.
///
/// Work is cut into a fixed number of parts, whose sums are added in order: the result has the same bits whatever the
/// number of threads. Blocks of weights are finished and updated one at a time, as soon as their gradient is known, so
/// that a gradient of the whole never exists.
package final class FlattenedTraining {
    /// Parts that blocks of weights, and rows of the batch, are dealt to.
    static let parts = DistillerSetting.parts

    let replacement: FlattenedReplacement
    let weights: FloatBlock
    let pool: WorkerPool
    /// Of the hidden layer.
    package var dropout: Float = 0
    /// Whether there is a hidden row for each prefix of the target, in place of one for the whole sentence.
    let seesPrefixes: Bool
    /// Owned by the pass as a whole, and by each part.
    let space: Workspace
    let partSpaces: [Workspace]
    let squares = PartSums(FlattenedTraining.parts)

    package init(_ replacement: FlattenedReplacement, weights: FloatBlock, pool: WorkerPool) {
        self.replacement = replacement
        self.weights = weights
        self.pool = pool
        seesPrefixes = replacement.isCausal
        space = Workspace()
        partSpaces = (0..<Self.parts).map { _ in Workspace() }
    }

    /// On one thread, within a pass through a whole model. There `crossfull` sees prefixes as in translation: the
    /// future would be the answer.
    init(_ replacement: FlattenedReplacement, within pass: Pass) {
        self.replacement = replacement
        weights = pass.weights
        pool = Self.serial
        seesPrefixes = replacement.isCausal || replacement.shape.attention == .crossfull
        space = pass.workspace
        partSpaces = [Workspace](repeating: pass.workspace, count: Self.parts)
    }

    private static let serial = WorkerPool(threads: 1)

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
    package func step(_ batch: FlattenedBatch, targets: Matrix, randomness: Randomness, _ sink: GradientSink) -> Double
    {
        require(
            targets.rows == batch.input.order.tokens && targets.columns == replacement.shape.width,
            "wanted \(targets) for \(batch.input.x)")
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
        for space in partSpaces { space.reset() }
    }

    /// The stream of a network's hidden dropout.
    func hiddenDropout(_ network: Int, _ randomness: Randomness) -> dropout_t {
        randomness.dropout(dropout, stream: network)
    }

    /// Runs `body` for each part, each with a workspace of its own.
    func inParts(_ body: (_ part: Int, Workspace) -> Void) {
        pool.run(Self.parts) { part in
            let space = partSpaces[part], mark = space.mark
            body(part, space)
            space.release(to: mark)
        }
    }

    /// The share of 0..<count that falls to a part.
    static func share(_ count: Int, _ part: Int) -> Range<Int> { count * part / parts..<count * (part + 1) / parts }
}

/// A matrix for each part.
struct PartMatrices {
    private let first: UnsafeMutablePointer<Float>
    private let rows: Int
    private let columns: Int
    /// Floats from one to the next: whole cache lines.
    private let stride: Int

    init(_ parts: Int, _ rows: Int, _ columns: Int, _ space: Workspace) {
        self.rows = rows
        self.columns = columns
        stride = (rows * columns + 15) / 16 * 16
        first = space.take(parts * stride)
    }

    subscript(part: Int) -> Matrix { Matrix(first + part * stride, rows: rows, columns: columns) }
}

/// A sum for each part, added up in order.
final class PartSums {
    private let values: UnsafeMutableBufferPointer<Double>

    init(_ parts: Int) {
        values = .allocate(capacity: parts)
        clear()
    }

    deinit { values.deallocate() }

    func clear() { values.initialize(repeating: 0) }
    func add(_ value: Double, _ part: Int) { values[part] += value }
    var total: Double { values.reduce(0, +) }
}

/// The hidden layer of one network: [sentences, H], or [tokens, H] for a causal one.
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

    /// Those that belong to a share of the sentences: at each position those of the sentences that reach it.
    func rows(_ position: Int, of sentences: Range<Int>) -> Range<Int> {
        guard areOfPrefixes else { return sentences }
        let start = order.starts[position], reach = order.count(position)
        return start + min(sentences.lowerBound, reach)..<start + min(sentences.upperBound, reach)
    }
}
