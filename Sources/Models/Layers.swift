import CKernels
import Kernels

/// y = x W^T + b, W: [out, in].
package struct Linear {
    package let weight: Slot
    package let bias: Slot

    /// - Parameter fanOut: outputs of one matrix where several stand in one slot.
    init(_ name: String, in inputs: Int, out outputs: Int, fanOut: Int? = nil, _ layout: inout ParameterLayout) {
        (weight, bias) = layout.scope(name) {
            (
                $0.add("weight", [outputs, inputs], .xavier(fanIn: inputs, fanOut: fanOut ?? outputs)),
                $0.add("bias", [outputs], .constant(0))
            )
        }
    }

    /// - Parameters:
    ///   - part: which of the outputs; all if nil
    ///   - bias: false where whoever follows adds it, in the same sweep as its own work
    func forward(_ x: Matrix, part: Range<Int>? = nil, bias hasBias: Bool, into y: Matrix, _ pass: Pass) {
        pass.phase(.products)
        let all = pass.weights[weight], w = part.map(all.rows) ?? all, mark = pass.workspace.mark
        Panels(w, at: pass.workspace.take(Panels.count(w)))
            .product(
                x, bias: hasBias ? pass.weights[bias].base + (part?.lowerBound ?? 0) : nil, into: y, pass.workspace)
        pass.workspace.release(to: mark)
    }

    /// dW += dy^T x;  dx = dy W, or dx += dy W where `accumulate`.
    func backward(_ x: Matrix, part: Range<Int>? = nil, dy: Matrix, dx: Matrix?, accumulate: Bool = false, _ pass: Pass)
    {
        pass.phase(.products)
        let w = pass.weights[weight]
        if pass.trainsTransformer {
            let dw = pass.gradient(weight)
            gemm(dy, x, transposeA: true, into: part.map(dw.rows) ?? dw, accumulate: true)
        }
        if let dx { gemm(dy, part.map(w.rows) ?? w, into: dx, accumulate: accumulate) }
    }

    func backwardBias(dy: Matrix, part: Range<Int>? = nil, _ pass: Pass) {
        guard pass.trainsTransformer else { return }
        pass.phase(.elementwise)
        require(dy.isContiguous, "bias over columns of a wider matrix")
        add_bias_backward(dy.base, pass.gradient(bias).base + (part?.lowerBound ?? 0), dy.rows, dy.columns)
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
            x: x, y: pass.workspace.matrix(x.rows, x.columns), mean: pass.workspace.take(x.rows),
            rstd: pass.workspace.take(x.rows))
        layer_norm_forward(
            x.base, pass.weights[gain].base, pass.weights[shift].base, tape.y.base, tape.mean, tape.rstd, x.rows,
            x.columns, Self.epsilon)
        return tape
    }

    /// dx += gradient, so that the residual's own gradient may already be in it.
    func backward(_ tape: Tape, dy: Matrix, dx: Matrix, _ pass: Pass) {
        pass.phase(.normalisation)
        let x = tape.x
        layer_norm_backward(
            x.base, pass.weights[gain].base, dy.base, dx.base, tape.mean, tape.rstd,
            pass.gradient(gain).base, pass.gradient(shift).base, x.rows, x.columns)
    }
}
