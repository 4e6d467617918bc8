import CKernels
import Kernels

/// y = x W^T + b, W: [out, in].
package struct Linear {
    package let weight: Slot
    package let bias: Slot

    /// - Parameter fanOut: outputs of one matrix where several stand in one slot
    init(_ name: String, in inputs: Int, out outputs: Int, fanOut: Int? = nil, _ layout: inout ParameterLayout) {
        let fanOut = fanOut ?? outputs
        (weight, bias) = layout.scope(name) {
            (
                $0.add("weight", [outputs, inputs], .xavier(fanIn: inputs, fanOut: fanOut), matrixRows: fanOut),
                $0.add("bias", [outputs], .constant(0))
            )
        }
    }

    /// - Parameters:
    ///   - part: which of the outputs; all if nil
    ///   - bias: false where whoever follows adds it, in the same sweep as its own work
    func forward(_ x: Matrix, part: Range<Int>? = nil, bias hasBias: Bool, into y: Matrix, _ pass: Pass) {
        pass.phase(.products)
        pass.product(
            x, weight, part: part, bias: hasBias ? pass.weights[bias].base + (part?.lowerBound ?? 0) : nil, into: y)
    }

    /// dW += dy^T x;  db += column sums of dy;  dx = dy W, or dx += dy W where `accumulate`.
    func backward(_ x: Matrix, part: Range<Int>? = nil, dy: Matrix, dx: Matrix?, accumulate: Bool = false, _ pass: Pass)
    {
        pass.phase(.products)
        if pass.trainsTransformer { pass.addProduct(weight, bias: bias, part: part, x, dy: dy) }
        if let dx { pass.backProduct(dy, weight, part: part, into: dx, accumulate: accumulate) }
    }
}

/// y = gain (x - mean(x)) / sqrt(var(x) + epsilon) + shift, over each row (Ba et al. 2016).
package struct LayerNorm {
    package let gain: Slot
    package let shift: Slot
    static let epsilon: Float = 1e-5

    init(_ name: String, width: Int, _ layout: inout ParameterLayout) {
        (gain, shift) = layout.scope(name) {
            ($0.add("weight", [width], .constant(1)), $0.add("bias", [width], .constant(0)))
        }
    }

    /// What the backward pass needs.
    struct Tape {
        let x: Matrix
        let y: Matrix
        let mean: UnsafeMutablePointer<Float>
        let rstd: UnsafeMutablePointer<Float>
    }

    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        pass.phase(.normalisation)
        let tape = Tape(
            x: x, y: pass.keep(x.rows, x.columns), mean: pass.workspace.take(x.rows), rstd: pass.workspace.take(x.rows))
        layer_norm_forward(
            x.base, pass.weights[gain].base, pass.weights[shift].base, tape.y.base, tape.mean, tape.rstd, x.rows,
            x.columns, Self.epsilon)
        return tape
    }

    /// dx += gradient, so that the residual's own gradient may already be in it.
    func backward(_ tape: Tape, dy: Matrix, dx: Matrix, _ pass: Pass) {
        pass.phase(.normalisation)
        let x = tape.x, weights = pass.weights[gain].base, mark = pass.workspace.mark
        let dgain = pass.sums(gain, if: pass.trainsTransformer), dshift = pass.sums(shift, if: pass.trainsTransformer)
        pass.forEachSentence(rows: x.rows) { sentence, rows in
            let first = rows.lowerBound
            layer_norm_backward(
                x.row(first), weights, dy.row(first), dx.row(first), tape.mean + first, tape.rstd + first,
                dgain[sentence], dshift[sentence], rows.count, x.columns)
        }
        pass.workspace.release(to: mark)
    }
}
