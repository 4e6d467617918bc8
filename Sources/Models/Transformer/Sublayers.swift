import CKernels
import Kernels

/// y = x + dropout(Attention(LayerNorm(x)) W^T + b)
struct AttentionSublayer {
    let norm: LayerNorm
    let attention: MultiHeadAttention
    let output: Linear
    let dropout: Float
    let site: Int

    /// - Parameter site: this and the next number are the sublayer's streams of random numbers.
    init(_ name: String, _ configuration: TransformerConfiguration, isCausal: Bool, site: Int, _ layout: inout ParameterLayout) {
        (norm, attention, output) = layout.scope(name) {
            (
                LayerNorm("norm", width: configuration.width, &$0),
                MultiHeadAttention(configuration, isCausal: isCausal, site: site, &$0),
                Linear("output", in: configuration.width, out: configuration.width, &$0)
            )
        }
        dropout = configuration.residualDropout
        self.site = site + 1
    }

    struct Tape {
        let norm: LayerNorm.Tape
        let attention: MultiHeadAttention.Tape
        let y: Matrix
    }

    func forward(_ x: Matrix, _ queries: Packed, memory: (x: Matrix, packed: Packed)? = nil, _ pass: Pass) -> Tape {
        let normed = norm.forward(x, pass)
        let attended = attention.forward(normed.y, queries, memory: memory, pass)
        let y = pass.workspace.matrix(x.rows, x.columns), mark = pass.workspace.mark
        let projected = pass.workspace.matrix(x.rows, x.columns)
        output.forward(attended.context, bias: false, into: projected, pass)
        pass.phase(.elementwise)
        residual_forward(x.base, projected.base, pass.weights[output.bias].base, y.base, x.rows, x.columns, pass.randomness.dropout(dropout, site: site))
        pass.workspace.release(to: mark)
        return Tape(norm: normed, attention: attended, y: y)
    }

    /// dx holds the gradient of y and then of x.
    func backward(_ tape: Tape, _ queries: Packed, memory: (x: Matrix, packed: Packed)? = nil, dx: Matrix, dmemory: Matrix? = nil, _ pass: Pass) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let dprojected = pass.workspace.matrix(dx.rows, dx.columns), dcontext = pass.workspace.matrix(dx.rows, dx.columns)
        pass.phase(.elementwise)
        residual_backward(dx.base, dprojected.base, pass.gradient(output.bias).base, dx.rows, dx.columns, pass.randomness.dropout(dropout, site: site))
        output.backward(tape.attention.context, dy: dprojected, dx: dcontext, pass)
        attention.backward(tape.attention, queries, memory: memory, dcontext: dcontext, dx: dprojected, dmemory: dmemory, pass)
        norm.backward(tape.norm, dy: dprojected, dx: dx, pass)
    }
}

/// y = x + dropout(dropout(max(0, LayerNorm(x) W1^T + b1)) W2^T + b2)
struct FeedForwardSublayer {
    let norm: LayerNorm
    let up: Linear
    let down: Linear
    let hiddenDropout: Float
    let dropout: Float
    let site: Int

    /// - Parameter site: this and the next number are the sublayer's streams of random numbers.
    init(_ name: String, _ configuration: TransformerConfiguration, site: Int, _ layout: inout ParameterLayout) {
        (norm, up, down) = layout.scope(name) {
            (
                LayerNorm("norm", width: configuration.width, &$0),
                Linear("up", in: configuration.width, out: configuration.hidden, &$0),
                Linear("down", in: configuration.hidden, out: configuration.width, &$0)
            )
        }
        hiddenDropout = configuration.hiddenDropout
        dropout = configuration.residualDropout
        self.site = site
    }

    struct Tape {
        let norm: LayerNorm.Tape
        let hidden: Matrix
        let y: Matrix
    }

    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let space = pass.workspace, normed = norm.forward(x, pass)
        let hidden = space.matrix(x.rows, up.weight.rows), y = space.matrix(x.rows, x.columns), mark = space.mark
        up.forward(normed.y, bias: false, into: hidden, pass)
        pass.phase(.elementwise)
        bias_relu_dropout_forward(hidden.base, pass.weights[up.bias].base, hidden.rows, hidden.columns, pass.randomness.dropout(hiddenDropout, site: site))
        let projected = space.matrix(x.rows, x.columns)
        down.forward(hidden, bias: false, into: projected, pass)
        pass.phase(.elementwise)
        residual_forward(x.base, projected.base, pass.weights[down.bias].base, y.base, x.rows, x.columns, pass.randomness.dropout(dropout, site: site + 1))
        space.release(to: mark)
        return Tape(norm: normed, hidden: hidden, y: y)
    }

    /// dx holds the gradient of y and then of x.
    func backward(_ tape: Tape, dx: Matrix, _ pass: Pass) {
        let space = pass.workspace, mark = space.mark
        defer { space.release(to: mark) }
        let dprojected = space.matrix(dx.rows, dx.columns), dhidden = space.matrix(dx.rows, tape.hidden.columns)
        pass.phase(.elementwise)
        residual_backward(dx.base, dprojected.base, pass.gradient(down.bias).base, dx.rows, dx.columns, pass.randomness.dropout(dropout, site: site + 1))
        down.backward(tape.hidden, dy: dprojected, dx: dhidden, pass)
        pass.phase(.elementwise)
        bias_relu_dropout_backward(tape.hidden.base, dhidden.base, pass.gradient(up.bias).base, dhidden.rows, dhidden.columns, pass.randomness.dropout(hiddenDropout, site: site))
        up.backward(tape.norm.y, dy: dhidden, dx: dprojected, pass)
        norm.backward(tape.norm, dy: dprojected, dx: dx, pass)
    }
}
