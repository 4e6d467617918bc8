import CKernels
import Kernels

/// What a model is to have at the place of one attention.
struct ContextChoice {
    let span: Span
    /// Nil for attention itself.
    let spec: Spec?
    /// Told its stream of random numbers.
    let make: (_ stream: Int, inout ParameterLayout) -> any ContextNetwork
}

/// y = x + dropout(context(LayerNorm(x)) W^T + b), where the context comes from attention or from a network in its
/// place; y = network(x) where that spans the sublayer or more.
struct AttentionSublayer {
    let network: any ContextNetwork
    /// What the network is of; nil for attention itself.
    let spec: Spec?
    /// What is around a network that spans the heads alone.
    let frame: Frame?

    struct Frame {
        let norm: LayerNorm
        let output: Linear
        let dropout: Float
        let stream: Int
    }

    /// - Parameter stream: this and the next number are the sublayer's streams of random numbers.
    init(
        _ configuration: TransformerConfiguration, _ choice: ContextChoice, stream: Int, _ layout: inout ParameterLayout
    ) {
        spec = choice.spec
        guard choice.span == .heads else {
            network = choice.make(stream, &layout)
            frame = nil
            return
        }
        let width = configuration.width, norm = LayerNorm("norm", width: width, &layout)
        network = choice.make(stream, &layout)
        frame = Frame(
            norm: norm, output: Linear("output", in: width, out: width, &layout),
            dropout: configuration.residualDropout, stream: stream + 1)
    }

    struct Tape {
        let x: Matrix
        /// Nil where there is no frame.
        let norm: LayerNorm.Tape?
        let context: ContextTape
        let y: Matrix
    }

    func forward(_ x: Matrix, _ queries: Packed, memory: EncoderOutput? = nil, _ pass: Pass) -> Tape {
        guard let frame else {
            let tape = network.forward(x, queries, memory: memory, pass)
            return Tape(x: x, norm: nil, context: tape, y: tape.context)
        }
        let normed = frame.norm.forward(x, pass)
        let attended = network.forward(normed.y, queries, memory: memory, pass)
        let y = pass.workspace.matrix(x.rows, x.columns), mark = pass.workspace.mark
        let projected = pass.workspace.matrix(x.rows, x.columns)
        frame.output.forward(attended.context, bias: false, into: projected, pass)
        pass.phase(.elementwise)
        residual_forward(
            x.base, projected.base, pass.weights[frame.output.bias].base, y.base, x.rows, x.columns,
            pass.dropout(frame.dropout, stream: frame.stream))
        pass.workspace.release(to: mark)
        return Tape(x: x, norm: normed, context: attended, y: y)
    }

    /// dx holds the gradient of y and then of x.
    func backward(
        _ tape: Tape, _ queries: Packed, memory: EncoderOutput? = nil, dx: Matrix, dmemory: Matrix? = nil, _ pass: Pass
    ) {
        let space = pass.workspace, mark = space.mark
        defer { space.release(to: mark) }
        let dcontext = space.matrix(dx.rows, dx.columns)
        guard let frame, let norm = tape.norm else {
            dcontext.copy(from: dx)
            return network.backward(
                tape.context, queries, memory: memory, dcontext: dcontext, dx: dx, dmemory: dmemory, pass)
        }
        let dprojected = pass.keep(dx.rows, dx.columns, if: pass.trainsTransformer),
            dnormed = space.matrix(dx.rows, dx.columns)
        pass.phase(.elementwise)
        residual_backward(
            dx.base, dprojected.base, dx.rows, dx.columns, pass.dropout(frame.dropout, stream: frame.stream))
        frame.output.backward(tape.context.context, dy: dprojected, dx: dcontext, pass)
        pass.matched?.add(frame.stream, tape.context.context, to: dcontext)
        network.backward(tape.context, queries, memory: memory, dcontext: dcontext, dx: dnormed, dmemory: dmemory, pass)
        frame.norm.backward(norm, dy: dnormed, dx: dx, pass)
    }
}

/// y = x + dropout(dropout(max(0, LayerNorm(x) W1^T + b1)) W2^T + b2)
struct FeedForwardSublayer {
    let norm: LayerNorm
    let up: Linear
    let down: Linear
    let hiddenDropout: Float
    let dropout: Float
    let stream: Int

    /// - Parameter stream: this and the next number are the sublayer's streams of random numbers.
    init(_ configuration: TransformerConfiguration, stream: Int, _ layout: inout ParameterLayout) {
        (norm, up, down) = layout.scope("feedforward") {
            (
                LayerNorm("norm", width: configuration.width, &$0),
                Linear("up", in: configuration.width, out: configuration.hidden, &$0),
                Linear("down", in: configuration.hidden, out: configuration.width, &$0)
            )
        }
        hiddenDropout = configuration.hiddenDropout
        dropout = configuration.residualDropout
        self.stream = stream
    }

    struct Tape {
        let norm: LayerNorm.Tape
        let hidden: Matrix
        let y: Matrix
    }

    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let space = pass.workspace, normed = norm.forward(x, pass)
        let hidden = pass.keep(x.rows, up.weight.rows, if: pass.trainsTransformer), y = space.matrix(x.rows, x.columns),
            mark = space.mark
        up.forward(normed.y, bias: false, into: hidden, pass)
        pass.phase(.elementwise)
        bias_relu_dropout_forward(
            hidden.base, pass.weights[up.bias].base, hidden.rows, hidden.columns,
            pass.dropout(hiddenDropout, stream: stream))
        let projected = space.matrix(x.rows, x.columns)
        down.forward(hidden, bias: false, into: projected, pass)
        pass.phase(.elementwise)
        residual_forward(
            x.base, projected.base, pass.weights[down.bias].base, y.base, x.rows, x.columns,
            pass.dropout(dropout, stream: stream + 1))
        space.release(to: mark)
        return Tape(norm: normed, hidden: hidden, y: y)
    }

    /// dx holds the gradient of y and then of x.
    func backward(_ tape: Tape, dx: Matrix, _ pass: Pass) {
        let space = pass.workspace, mark = space.mark
        defer { space.release(to: mark) }
        let dprojected = pass.keep(dx.rows, dx.columns, if: pass.trainsTransformer),
            dnormed = space.matrix(dx.rows, dx.columns)
        let dhidden = pass.keep(dx.rows, tape.hidden.columns, if: pass.trainsTransformer)
        pass.phase(.elementwise)
        residual_backward(dx.base, dprojected.base, dx.rows, dx.columns, pass.dropout(dropout, stream: stream + 1))
        down.backward(tape.hidden, dy: dprojected, dx: dhidden, pass)
        pass.phase(.elementwise)
        bias_relu_dropout_backward(
            tape.hidden.base, dhidden.base, dhidden.rows, dhidden.columns, pass.dropout(hiddenDropout, stream: stream))
        up.backward(tape.norm.y, dy: dhidden, dx: dnormed, pass)
        norm.backward(tape.norm, dy: dnormed, dx: dx, pass)
    }
}
