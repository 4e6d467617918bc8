import CKernels
import Kernels

/// A model's weights, and how translation keeps those of its products.
package struct BoundWeights {
    let block: FloatBlock
    let precision: Precision

    init(block: FloatBlock, precision: Precision) {
        self.block = block
        self.precision = precision
    }

    subscript(_ slot: Slot) -> Matrix { block[slot] }
}

/// y = x W^T + b with weights laid out once for the kernel. A row's result depends on that row alone, to the last bit,
/// so a translation does not depend on the batch that it is in.
package final class LinearPanels {
    private let panels: Panels
    private let storage: FloatBlock
    private let bias: FloatBlock?
    package var inputs: Int { panels.inputs }
    package var outputs: Int { panels.outputs }
    /// What its rows have to be.
    var type: panel_type_t { panels.type }

    /// - Parameters:
    ///   - weights: [outputs, inputs]; copied
    ///   - bias: copied; none if nil
    ///   - asked: weights that are too wide for it stay in float32
    package init(_ weights: Matrix, bias values: UnsafePointer<Float>? = nil, _ asked: Precision = .float32) {
        let precision = weights.columns > Precision.widestInt8 ? .float32 : asked
        storage = FloatBlock(Panels.count(weights, precision))
        panels = Panels(weights, precision, at: storage.base)
        bias = values.map {
            let copy = FloatBlock(weights.rows)
            copy.base.update(from: $0, count: weights.rows)
            return copy
        }
    }

    /// - Parameter part: which of the outputs; all if nil
    convenience init(_ linear: Linear, part: Range<Int>? = nil, _ weights: BoundWeights) {
        let matrix = weights[linear.weight], bias = weights[linear.bias]
        self.init(part.map(matrix.rows) ?? matrix, bias: bias.base + (part?.lowerBound ?? 0), weights.precision)
    }

    /// y = p, max(0, p) or y + p, where p = x W^T + b.
    package func callAsFunction(_ x: Matrix, into y: Matrix, _ space: Workspace, _ mode: panel_mode_t = panel_bias) {
        panels.product(x, bias: bias?.base, into: y, space, mode)
    }

    /// See `Panels.rows`.
    func rows(_ x: Matrix, at places: UnsafePointer<Int32>? = nil, count: Int, _ space: Workspace) -> PanelRows {
        panels.rows(x, at: places, count: count, space)
    }

    /// The same for the first `count` rows, row r being row places[r] of y, or r where nil; no two go to the same.
    func callAsFunction(
        _ x: PanelRows, into y: Matrix, at places: UnsafePointer<Int32>? = nil, count: Int,
        _ mode: panel_mode_t = panel_bias
    ) {
        panels.product(x, bias: bias?.base, into: y, at: places, count: count, mode)
    }

    /// The k largest outputs of each row with their log softmax, best first, ties by lower index. There must be a bias.
    func best(_ k: Int, of x: Matrix, suppressed: [Int32], into best: inout Candidates, _ space: Workspace) {
        best.resize(rows: x.rows, k: k)
        panels.best(
            k, of: x, bias: bias!.base, suppressed: suppressed, logProbabilities: &best.logProbabilities,
            indices: &best.tokens,
            space)
    }
}

/// The likeliest next tokens of each row: [rows, k], best first.
struct Candidates {
    fileprivate(set) var logProbabilities: [Float] = []
    fileprivate(set) var tokens: [Int32] = []

    /// Keeps its storage: it only ever grows.
    fileprivate mutating func resize(rows: Int, k: Int) {
        guard tokens.count < rows * k else { return }
        logProbabilities = [Float](repeating: 0, count: rows * k)
        tokens = [Int32](repeating: 0, count: rows * k)
    }
}

/// A LayerNorm with its weights.
struct BoundNorm {
    private let gain: Matrix
    private let shift: Matrix
    private let owner: FloatBlock

    init(_ norm: LayerNorm, _ weights: BoundWeights) {
        gain = weights[norm.gain]
        shift = weights[norm.shift]
        owner = weights.block
    }

    func callAsFunction(_ x: Matrix, into y: Matrix, _ space: Workspace) {
        let mark = space.mark, mean = space.take(x.rows), rstd = space.take(x.rows)
        layer_norm_forward(x.base, gain.base, shift.base, y.base, mean, rstd, x.rows, x.columns, LayerNorm.epsilon)
        space.release(to: mark)
    }
}

/// The feed-forward sublayer, in place: x += W2 max(0, W1 LayerNorm(x) + b1) + b2.
struct BoundFeedForward {
    private let norm: BoundNorm
    private let up: LinearPanels
    private let down: LinearPanels

    init(_ sublayer: FeedForwardSublayer, _ weights: BoundWeights) {
        norm = BoundNorm(sublayer.norm, weights)
        up = LinearPanels(sublayer.up, weights)
        down = LinearPanels(sublayer.down, weights)
    }

    func callAsFunction(_ x: Matrix, _ space: Workspace) {
        let mark = space.mark
        let normed = space.matrix(x.rows, x.columns), hidden = space.matrix(x.rows, up.outputs)
        norm(x, into: normed, space)
        up(normed, into: hidden, space, panel_relu)
        down(hidden, into: x, space, panel_add)
        space.release(to: mark)
    }
}
