import CKernels
import Kernels

/// One network with its weights laid out for translation; read-only and shared by threads.
///
/// The first LayerNorm is folded into the first layer: block j is multiplied as W1_j diag(g_j), and mean and variance of the
/// input enter afterwards through u = W1 g and v = W1 b + b1. Whatever is computed for a row depends on that row alone, to
/// the last bit.
struct BoundNetwork {
    /// W1_j diag(g_j), by input block
    let first: [PackedLinear]
    /// W2 and its bias, by output block
    let second: [PackedLinear]
    private let u: FloatBlock
    private let v: FloatBlock
    private let gain: FloatBlock
    private let shift: FloatBlock
    /// N
    private let inputs: Float

    var hidden: Int { u.count }

    init(_ network: ReplacementNetwork, _ shape: ReplacementShape, _ weights: FloatBlock) {
        let w = weights[network.first], gains = weights[network.inputNorm.gain].base, shifts = weights[network.inputNorm.shift].base
        let d = shape.width, H = shape.hidden
        first = (0..<shape.inputBlocks).map { Self.gained(w.rows($0 * d..<($0 + 1) * d), gains + $0 * d) }
        let second = weights[network.second], bias = weights[network.secondBias].base, width = shape.outputWidth
        self.second = (0..<shape.outputBlocks).map { PackedLinear(second.rows($0 * width..<($0 + 1) * width), bias: bias + $0 * width) }
        u = FloatBlock(H)
        v = FloatBlock(H)
        input_projections(w.base, w.stride, gains, shifts, u.base, v.base, w.rows, H)
        add_bias(v.base, weights[network.firstBias].base, 1, H)
        gain = Self.copy(weights[network.hiddenNorm.gain])
        shift = Self.copy(weights[network.hiddenNorm.shift])
        inputs = Float(shape.inputs)
    }

    /// The product with x of (W_j diag(g_j))^T, from W_j stored [d, H].
    private static func gained(_ block: Matrix, _ gain: UnsafePointer<Float>) -> PackedLinear {
        let transposed = FloatBlock(block.count), w = transposed.matrix(block.columns, block.rows)
        for i in 0..<block.rows { for h in 0..<block.columns { w[h, i] = block[i, h] * gain[i] } }
        return PackedLinear(w)
    }

    private static func copy(_ values: Matrix) -> FloatBlock {
        let block = FloatBlock(values.count)
        block.base.update(from: values.base, count: values.count)
        return block
    }

    /// The hidden layer [rows, H], taken from `space`.
    ///
    /// - Parameters:
    ///   - pre: [rows, H], sums of the products with each block of the input; overwritten
    ///   - sum, square: of each row's input, the sum of its numbers and of their squares
    func activate(_ pre: Matrix, sum: UnsafePointer<Float>, square: UnsafePointer<Float>, _ space: Workspace) -> Matrix {
        let h = space.matrix(pre.rows, hidden), mark = space.mark, moments = space.matrix(4, pre.rows)
        let (mean, rstd, total, squares) = (moments.row(0), moments.row(1), moments.row(2), moments.row(3))
        Self.statistics(sum, square, inputs, mean, rstd, pre.rows)
        hidden_forward(pre.base, pre.stride, mean, rstd, u.base, v.base, pre.rows, hidden, total, squares)
        Self.statistics(total, squares, Float(hidden), mean, rstd, pre.rows)
        let dropout = Randomness.off.dropout(0, site: 0)
        hidden_normalise(pre.base, h.base, hidden, mean, rstd, gain.base, shift.base, pre.rows, hidden, dropout, 0, 0, hidden)
        space.release(to: mark)
        return h
    }

    /// Mean and 1/sqrt(variance + epsilon) from a sum and a sum of squares over n numbers.
    private static func statistics(
        _ sum: UnsafePointer<Float>, _ square: UnsafePointer<Float>, _ n: Float, _ mean: UnsafeMutablePointer<Float>,
        _ rstd: UnsafeMutablePointer<Float>, _ rows: Int
    ) {
        for row in 0..<rows {
            let m = sum[row] / n
            mean[row] = m
            rstd[row] = 1 / (max(square[row] / n - m * m, 0) + Replacement.epsilon).squareRoot()
        }
    }
}

/// Sums over blocks of input, for whole sentences: [sentences, H] and the moments of what was seen.
struct SentenceSums {
    let products: Matrix
    let sum: UnsafeMutablePointer<Float>
    let square: UnsafeMutablePointer<Float>

    /// Adds up the blocks of `sentences`, whose tokens are the packed rows of x; one row a sentence, in the order of `order`.
    init(_ network: BoundNetwork, _ x: Matrix, _ sentences: Packed, _ order: PositionMajor, _ space: Workspace) {
        products = space.zeros(order.sentences, network.hidden)
        sum = space.zeros(1, order.sentences).base
        square = space.zeros(1, order.sentences).base
        let mark = space.mark, d = x.columns, block = space.matrix(order.sentences, d), moments = space.matrix(2, order.sentences)
        for position in 0..<order.positions {
            let rows = block.rows(0..<order.count(position))
            for row in 0..<rows.rows { rows.row(row).update(from: x.row(sentences.offsets[order.order[row]] + position), count: d) }
            network.first[position](rows, into: products.rows(0..<rows.rows), panel_add)
            row_moments(rows.base, rows.rows, d, moments.row(0), moments.row(1))
            add_rows(sum, 0, moments.row(0), 0, 1, rows.rows)
            add_rows(square, 0, moments.row(1), 0, 1, rows.rows)
        }
        space.release(to: mark)
    }
}

extension PositionMajor {
    init(_ sentences: Packed, limit: Int) {
        self.init(lengths: (0..<sentences.sentences).map(sentences.length), limit: limit)
    }
}
