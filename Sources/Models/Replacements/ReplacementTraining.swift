import CKernels
import Kernels

/// Forward and backward passes of a replacement over a batch, on any number of threads.
///
/// Work is cut into a fixed number of parts, whose sums are added in order: the result has the same bits whatever the number
/// of threads. Blocks of weights are finished and updated one at a time, as soon as their gradient is known, so that a
/// gradient of the whole never exists.
public final class ReplacementTraining {
    /// What becomes of the gradients.
    public enum Target {
        /// They are added here.
        case gradient(FloatBlock)
        /// The weights take a step.
        case update(moment1: FloatBlock, moment2: FloatBlock, adam_t)
    }

    /// Parts that blocks of weights, and rows of the batch, are dealt to.
    static let parts = 8

    let replacement: Replacement
    let weights: FloatBlock
    let pool: WorkerPool
    /// Of the hidden layer.
    public var dropout: Float = 0
    /// Owned by the pass as a whole, and by each part.
    let space = Workspace()
    let partSpaces = (0..<ReplacementTraining.parts).map { _ in Workspace() }
    let squares = PartSums(ReplacementTraining.parts)

    public init(_ replacement: Replacement, weights: FloatBlock, pool: WorkerPool) {
        self.replacement = replacement
        self.weights = weights
        self.pool = pool
    }

    /// Outputs [tokens, d] in the target's order, valid until the next pass.
    public func predict(_ batch: ReplacementBatch) -> Matrix {
        reset()
        let out = space.matrix(batch.target.order.tokens, replacement.shape.width)
        let moments = InputMoments(replacement, batch, space)
        for (index, network) in replacement.networks.enumerated() {
            let mark = space.mark
            let hidden = forward(index, batch, moments, .off)
            output(network, index, batch.target.order, hidden.h, into: out)
            space.release(to: mark)
        }
        return out
    }

    /// Mean squared error over the numbers of all tokens, 1/(T d) sum |y - wanted|^2, differentiated. Returns the sum of squares.
    public func step(_ batch: ReplacementBatch, wanted: Matrix, randomness: Randomness, _ target: Target) -> Double {
        require(wanted.rows == batch.target.order.tokens && wanted.columns == replacement.shape.width, "wanted \(wanted) for \(batch.target.x)")
        reset()
        let moments = InputMoments(replacement, batch, space)
        var squares = 0.0
        for (index, network) in replacement.networks.enumerated() {
            let mark = space.mark
            let hidden = forward(index, batch, moments, randomness)
            let back = NetworkBackward(self, network, index, batch, moments, hidden, randomness, target)
            squares += back.run(wanted)
            space.release(to: mark)
        }
        return squares
    }

    private func reset() {
        space.reset()
        for space in partSpaces { space.reset() }
    }

    /// The stream of a network's hidden dropout.
    func hiddenDropout(_ network: Int, _ randomness: Randomness) -> dropout_t { randomness.dropout(dropout, site: network) }

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
struct HiddenLayer {
    /// leaky(pre)
    let y: Matrix
    /// dropout(LayerNorm(y))
    let h: Matrix
    let mean: UnsafeMutablePointer<Float>
    let rstd: UnsafeMutablePointer<Float>
}

/// Rows of the hidden layer that belong to a share of the sentences: at each position those of the sentences that reach it.
struct HiddenRows {
    let order: PositionMajor
    let isCausal: Bool

    var count: Int { isCausal ? order.tokens : order.sentences }
    var positions: Int { isCausal ? order.positions : (order.sentences > 0 ? 1 : 0) }

    func rows(_ position: Int, of sentences: Range<Int>) -> Range<Int> {
        guard isCausal else { return sentences }
        let start = order.starts[position], reach = order.count(position)
        return start + min(sentences.lowerBound, reach)..<start + min(sentences.upperBound, reach)
    }
}
