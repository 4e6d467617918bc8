import CKernels
import Kernels

/// A network that takes a token at a time: W2 max(0, W1 x + b1) + b2; without hidden units W2 x + b2; without a ReLU,
/// of low rank, W2 (W1 x) + b2. b2 may be missing.
struct TokenNetwork {
    private let up: Slot?
    private let upBias: Slot?
    private let down: Slot
    private let bias: Slot?

    enum Middle {
        case none
        /// So many hidden units with ReLU.
        case hidden(Int)
        /// So many numbers, as they are.
        case rank(Int)
    }

    init(
        _ name: String, in inputs: Int, _ middle: Middle, out outputs: Int, bias hasBias: Bool,
        _ layout: inout ParameterLayout
    ) {
        func matrix(_ name: String, _ inputs: Int, _ outputs: Int, _ layout: inout ParameterLayout) -> Slot {
            layout.add(name, [outputs, inputs], .xavier(fanIn: inputs, fanOut: outputs), matrixRows: outputs)
        }
        (up, upBias, down, bias) = layout.scope(name) { layout in
            var (up, upBias, width) = (Slot?.none, Slot?.none, inputs)
            switch middle {
            case .none: break
            case .hidden(let count):
                (up, width) = (matrix("up.weight", inputs, count, &layout), count)
                upBias = layout.add("up.bias", [count], .constant(0))
            case .rank(let count): (up, width) = (matrix("down.weight", inputs, count, &layout), count)
            }
            return (
                up, upBias, matrix("weight", width, outputs, &layout),
                hasBias ? layout.add("bias", [outputs], .constant(0)) : nil
            )
        }
    }

    var outputs: Int { down.rows }
    /// Multiplications and additions of a step of distillation on one row: forward and the weights' gradient of each
    /// layer, and the gradient of the middle; nobody wants the row's own.
    var stepFlops: Int { up.map { 4 * $0.count + 6 * down.count } ?? 4 * down.count }

    struct Tape: BitwiseCopyable {
        let x: Matrix
        let middle: Matrix?
        let y: Matrix
    }

    /// y is kept (`Pass.keep`), so that its gradient can take its place.
    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let middle = up.map { up in
            let middle = pass.keep(x.rows, up.rows)
            product(x, up, into: middle, pass)
            if let upBias {
                pass.phase(.elementwise)
                bias_relu_dropout_forward(
                    middle.base, pass.weights[upBias].base, middle.rows, middle.columns,
                    Randomness.off.dropout(0, stream: 0))
            }
            return middle
        }
        let y = pass.keep(x.rows, down.rows)
        product(middle ?? x, down, into: y, pass)
        return Tape(x: x, middle: middle, y: y)
    }

    private func product(_ x: Matrix, _ weight: Slot, into y: Matrix, _ pass: Pass) {
        pass.phase(.products)
        let bias = weight == down ? bias : nil
        pass.product(x, weight, bias: bias.map { pass.weights[$0].base }, into: y)
    }

    /// dy has taken the place of y. dx = gradient, or dx += gradient where `accumulate`.
    func backward(_ tape: Tape, dx: Matrix?, accumulate: Bool, _ pass: Pass) {
        let dy = tape.y, space = pass.workspace, mark = space.mark
        defer { space.release(to: mark) }
        pass.phase(.products)
        pass.addProduct(down, bias: bias, tape.middle ?? tape.x, dy: dy)
        guard let up, let middle = tape.middle else {
            if let dx { pass.backProduct(dy, down, into: dx, accumulate: accumulate) }
            return
        }
        let dmiddle = pass.keep(middle.rows, middle.columns)
        pass.backProduct(dy, down, into: dmiddle)
        if upBias != nil {
            pass.phase(.elementwise)
            bias_relu_dropout_backward(
                middle.base, dmiddle.base, middle.rows, middle.columns, Randomness.off.dropout(0, stream: 0))
            pass.phase(.products)
        }
        pass.addProduct(up, bias: upBias, tape.x, dy: dmiddle)
        if let dx { pass.backProduct(dmiddle, up, into: dx, accumulate: accumulate) }
    }
}

/// A token's network with its weights laid out for translation.
final class BoundTokenNetwork {
    private let up: LinearPanels?
    private let mode: panel_mode_t
    private let down: LinearPanels
    let outputs: Int

    fileprivate init(up: LinearPanels?, mode: panel_mode_t, down: LinearPanels) {
        self.up = up
        self.mode = mode
        self.down = down
        outputs = down.outputs
    }

    /// y = network(x) for each row.
    func callAsFunction(_ x: Matrix, into y: Matrix, _ space: Workspace) {
        guard let up else { return down(x, into: y, space) }
        let mark = space.mark, middle = space.matrix(x.rows, up.outputs)
        up(x, into: middle, space, mode)
        down(middle, into: y, space)
        space.release(to: mark)
    }
}

extension TokenNetwork {
    func bind(_ weights: BoundWeights) -> BoundTokenNetwork {
        func packed(_ weight: Slot, _ bias: Slot?) -> LinearPanels {
            LinearPanels(weights[weight], bias: bias.map { weights[$0].base }, weights.precision)
        }
        return BoundTokenNetwork(
            up: up.map { packed($0, upBias) }, mode: upBias == nil ? panel_bias : panel_relu, down: packed(down, bias))
    }
}
