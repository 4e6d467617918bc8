import CKernels
import Kernels

/// The backward pass of one network over one batch. With delta the gradient of `pre`,
///
///     a = delta / sd     D_j = sum of a over the hidden rows that see block j     G_j = x_j D_j^T over the batch
///     M = G - 1 (sum a mean)^T     dW1 = M . g + b dv^T     dg = row sums of M . W1
///     db = W1 dv     db1 = dv = sum delta
///
/// so that everything follows from G_j, one product a block. D_j is `a` itself where the whole sentence is seen, a
/// suffix sum over positions for a causal network, and the sum over all positions for the source's blocks.
struct FlattenedBackward {
    private let pass: FlattenedTraining
    private let tape: FlattenedTape
    private let network: FlattenedNetwork
    private let dropout: dropout_t
    private let sink: GradientSink
    private var batch: FlattenedBatch { tape.batch }
    private var moments: InputMoments { tape.moments }
    private var hidden: HiddenLayer { tape.hidden }
    private var replacement: FlattenedReplacement { pass.replacement }
    private var weights: FloatBlock { pass.weights }
    private var H: Int { replacement.shape.hidden }
    private static let parts = FlattenedTraining.parts

    init(_ pass: FlattenedTraining, _ tape: FlattenedTape, _ sink: GradientSink) {
        self.pass = pass
        self.tape = tape
        network = pass.replacement.networks[tape.index]
        dropout = pass.hiddenDropout(tape.index, tape.randomness)
        self.sink = sink
    }

    /// Where the gradient of the outputs comes from.
    enum OutputGradient {
        /// From the mean squared error against these values, [tokens, d] in the batch's order.
        case squaredError(Matrix)
        /// From what follows the network.
        case given(Matrix)
    }

    /// Returns the summed squared error, if there is one.
    ///
    /// - Parameter inputs: the gradients of the inputs are added there
    func run(_ goal: OutputGradient, inputs: InputGradients? = nil) -> Double {
        let rows = HiddenRows(pass, batch), dh = pass.space.matrix(rows.count, H)
        let squares = replacement.isCausal ? sharedOutput(goal, dh) : outputByPosition(goal, rows, dh)
        let sums = hiddenLayer(rows, dh), terms = inputs.map { _ in inputTerms(rows, dh) }
        if rows.areOfPrefixes { suffixSums(rows, dh) }
        let source = batch.memory.map { sourceRows(rows, dh, $0) }
        // Before the first layer, whose weights may be updated: these are still those of the forward pass.
        if let inputs, let terms { inputGradients(rows, dh, source, terms, into: inputs) }
        firstLayer(rows, dh, source, sums)
        return squares
    }

    // MARK: - Second layer

    /// d loss / d y = 2 (y - targets) / (T d)
    private var outputScale: Float { 2 / Float(batch.input.order.tokens * replacement.shape.width) }

    /// out becomes d loss / d y of a block, dbias its column sums. Returns the summed squared error.
    private func gradient(
        _ goal: OutputGradient, of block: FlattenedTraining.OutputBlock, _ out: Matrix,
        _ dbias: UnsafeMutablePointer<Float>
    ) -> Double {
        let width = replacement.shape.outputWidth, columns = tape.index * width..<(tape.index + 1) * width
        switch goal {
        case .squaredError(let targets):
            gemm(block.h, block.weight, transposeB: true, into: out)
            let values = targets.rows(block.tokens).columns(columns)
            return squared_error(out.base, block.bias, values.base, values.stride, out.rows, width, outputScale, dbias)
        case .given(let dy):
            out.copy(from: dy.rows(block.tokens).columns(columns))
            dbias.update(repeating: 0, count: width)
            add_bias_backward(out.base, out.stride, dbias, out.rows, width)
            return 0
        }
    }

    /// Every position has outputs of its own: each part takes every so many-th, and adds up its share of dh where a
    /// hidden row serves more than one.
    private func outputByPosition(_ goal: OutputGradient, _ rows: HiddenRows, _ dh: Matrix) -> Double {
        let space = pass.space, mark = space.mark
        let partial = rows.areOfPrefixes ? nil : PartMatrices(Self.parts, dh.rows, H, space), squares = pass.squares
        squares.clear()
        if let partial { for part in 0..<Self.parts { partial[part].fill(0) } }
        pass.forEachOutputBlock(tape) { block, part in
            let width = replacement.shape.outputWidth, inner = block.space.mark
            let out = block.space.matrix(block.tokens.count, width), dbias = block.space.take(width),
                dw = block.space.matrix(width, H)
            squares.add(gradient(goal, of: block, out, dbias), part)
            gemm(
                out, block.weight, into: (partial?[part] ?? dh).rows(rows.rows(block.index)), accumulate: partial != nil
            )
            if out.rows > 0 { gemm(out, block.h, transposeA: true, into: dw) } else { dw.fill(0) }
            finish(network.second, block.index * width * H, dw.base, dw.count)
            finish(network.secondBias, block.index * width, dbias, width)
            block.space.release(to: inner)
        }
        if let partial { addUp(partial, into: dh) }
        space.release(to: mark)
        return squares.total
    }

    private func addUp(_ partial: PartMatrices, into sum: Matrix) {
        pass.inParts { part, _ in
            let share = FlattenedTraining.share(sum.rows, part), to = sum.rows(share)
            to.fill(0)
            for other in 0..<Self.parts {
                add_rows(to.base, H, partial[other].row(share.lowerBound), H, share.count, H)
            }
        }
    }

    /// One block of outputs for all positions: each part takes a share of the tokens.
    private func sharedOutput(_ goal: OutputGradient, _ dh: Matrix) -> Double {
        let space = pass.space, mark = space.mark, width = replacement.shape.outputWidth
        let dw = PartMatrices(Self.parts, width, H, space), dbias = space.matrix(Self.parts, width),
            squares = pass.squares
        squares.clear()
        pass.forEachOutputBlock(tape) { block, part in
            let out = block.space.matrix(block.tokens.count, width)
            squares.add(gradient(goal, of: block, out, dbias.row(part)), part)
            gemm(out, block.weight, into: dh.rows(block.tokens))
            if out.rows > 0 { gemm(out, block.h, transposeA: true, into: dw[part]) } else { dw[part].fill(0) }
        }
        for part in 1..<Self.parts {
            add_rows(dw[0].base, H, dw[part].base, H, width, H)
            add_rows(dbias.base, width, dbias.row(part), width, 1, width)
        }
        finish(network.second, 0, dw[0].base, dw[0].count)
        finish(network.secondBias, 0, dbias.base, width)
        space.release(to: mark)
        return squares.total
    }

    // MARK: - Hidden layer

    /// Sums over the hidden rows that the first layer's gradient needs: dv = sum delta, and sum a mean.
    private struct HiddenSums {
        let dv: UnsafeMutablePointer<Float>
        let aMean: UnsafeMutablePointer<Float>
    }

    /// dh becomes a.
    private func hiddenLayer(_ rows: HiddenRows, _ dh: Matrix) -> HiddenSums {
        let space = pass.space, sums = space.zeros(4 * Self.parts, H)
        let gain = weights[network.hiddenNorm.gain].base
        pass.inParts { part, space in
            let share = FlattenedTraining.share(rows.count, part), first = share.lowerBound, n = share.count
            let sum = space.take(n), dot = space.take(n)
            let y = hidden.y.row(first), g = dh.row(first), mean = hidden.mean + first, rstd = hidden.rstd + first
            func row(_ kind: Int) -> UnsafeMutablePointer<Float> { sums.row(kind * Self.parts + part) }
            hidden_normalise_backward(y, g, H, mean, rstd, gain, row(0), row(1), n, H, dropout, first, 0, H, sum, dot)
            for i in 0..<n {
                sum[i] /= Float(H)
                dot[i] /= Float(H)
            }
            hidden_backward(
                y, g, H, mean, rstd, gain, sum, dot, moments.mean + first, moments.rstd + first, n, H, row(2), row(3))
        }
        for kind in 0..<4 {
            for part in 1..<Self.parts {
                add_rows(sums.row(kind * Self.parts), H, sums.row(kind * Self.parts + part), H, 1, H)
            }
        }
        finish(network.hiddenNorm.gain, 0, sums.row(0), H)
        finish(network.hiddenNorm.shift, 0, sums.row(Self.parts), H)
        return HiddenSums(dv: sums.row(2 * Self.parts), aMean: sums.row(3 * Self.parts))
    }

    /// D_j = a_j + D_(j+1), in place.
    private func suffixSums(_ rows: HiddenRows, _ a: Matrix) {
        pass.inParts { part, _ in
            let sentences = FlattenedTraining.share(rows.order.sentences, part)
            for position in (0..<max(rows.positions - 1, 0)).reversed() {
                let later = rows.rows(position + 1, of: sentences)
                guard !later.isEmpty else { continue }
                add_rows(
                    a.row(rows.order.starts[position] + sentences.lowerBound), H, a.row(later.lowerBound), H,
                    later.count, H)
            }
        }
    }

    // MARK: - First layer

    /// D of the source's blocks, in the source's order: that of position 0 of the input, which every row sees.
    private func sourceRows(_ rows: HiddenRows, _ D: Matrix, _ memory: FlattenedSide) -> Matrix {
        let own = pass.space.zeros(memory.order.sentences, D.columns)
        let seeing = rows.areOfPrefixes ? rows.order.count(0) : rows.order.sentences
        for place in 0..<seeing {
            own.row(batch.memoryPlace(place, memory)).update(from: D.row(place), count: D.columns)
        }
        return own
    }

    private func firstLayer(_ rows: HiddenRows, _ D: Matrix, _ source: Matrix?, _ sums: HiddenSums) {
        if let memory = batch.memory, let source {
            blocks(memory, first: 0, sums) { source.rows(0..<memory.order.count($0)) }
        }
        blocks(batch.input, first: replacement.firstTargetBlock, sums) { D.rows(rows.rows($0)) }
        finish(network.firstBias, 0, sums.dv, H)
    }

    /// Gradient and update of the S blocks of one side, those that no sentence reached included: mean and shift see
    /// them.
    private func blocks(_ side: FlattenedSide, first: Int, _ sums: HiddenSums, _ D: (_ position: Int) -> Matrix) {
        let d = replacement.shape.width, w = weights[network.first]
        let gain = weights[network.inputNorm.gain].base, shift = weights[network.inputNorm.shift].base
        pass.inParts { part, space in
            for position in stride(from: part, to: replacement.shape.maxTokens, by: Self.parts) {
                let mark = space.mark, at = (first + position) * d
                let g = space.matrix(d, H), dgain = space.take(d), dshift = space.take(d)
                if side.order.count(position) > 0 {
                    gemm(side.x.rows(side.order.rows(position)), D(position), transposeA: true, into: g)
                } else {
                    g.fill(0)
                }
                input_gradient(
                    g.base, H, w.row(at), w.stride, gain + at, shift + at, sums.dv, sums.aMean, d, H, dgain, dshift)
                finish(network.first, at * H, g.base, g.count)
                finish(network.inputNorm.gain, at, dgain, d)
                finish(network.inputNorm.shift, at, dshift, d)
                space.release(to: mark)
            }
        }
    }

    // MARK: - Result

    /// `count` numbers of a tensor's gradient, from `offset` on, are known.
    private func finish(_ slot: Slot, _ offset: Int, _ gradient: UnsafeMutablePointer<Float>, _ count: Int) {
        let at = slot.offset + offset
        switch sink {
        case .gradient(let block): add_rows(block.base + at, count, gradient, count, 1, count)
        case .update(let moment1, let moment2, let adam):
            adam_step(weights.base + at, moment1.base + at, moment2.base + at, gradient, count, slot.withoutDecay(adam))
        }
    }
}

// MARK: - Inputs

/// Where the gradients of a batch's inputs are added, in its order: [tokens, d] of its sentences and of the encoder's
/// output.
struct InputGradients {
    let x: Matrix
    let memory: Matrix?
}

extension FlattenedBackward {
    /// Of each hidden row i, with pre_i its pre-activation and N the numbers of the input, the three numbers that the
    /// gradient of its inputs has through mean and deviation:
    ///
    ///     s = a_i . u     q = a_i . (pre_i - v) / (N sd_i)     r = q mean_i            [rows, 3]
    private func inputTerms(_ rows: HiddenRows, _ a: Matrix) -> Matrix {
        let terms = pass.space.matrix(rows.count, 3)
        input_terms(
            hidden.y.base, a.base, hidden.u.base, hidden.v.base, moments.mean, moments.rstd, rows.count, H,
            Float(replacement.shape.inputs), terms.base)
        return terms
    }

    /// dx_j += g_j . (W1_j^T D_j) - sum s / N - x_j sum q + sum r, sums over the hidden rows that see token j.
    private func inputGradients(
        _ rows: HiddenRows, _ D: Matrix, _ source: Matrix?, _ terms: Matrix, into inputs: InputGradients
    ) {
        if rows.areOfPrefixes {
            for position in (0..<max(rows.positions - 1, 0)).reversed() {
                let later = rows.rows(position + 1)
                add_rows(terms.row(rows.order.starts[position]), 3, terms.row(later.lowerBound), 3, later.count, 3)
            }
        }
        if let memory = batch.memory, let source, let gradient = inputs.memory {
            let own = sourceRows(rows, terms, memory)
            inputGradients(memory, first: 0, into: gradient) { position in
                let seen = 0..<memory.order.count(position)
                return (source.rows(seen), own.rows(seen))
            }
        }
        inputGradients(batch.input, first: replacement.firstTargetBlock, into: inputs.x) {
            (D.rows(rows.rows($0)), terms.rows(rows.rows($0)))
        }
    }

    private func inputGradients(
        _ side: FlattenedSide, first: Int, into gradient: Matrix,
        _ sums: (_ position: Int) -> (D: Matrix, terms: Matrix)
    ) {
        let d = replacement.shape.width, w = weights[network.first], gain = weights[network.inputNorm.gain].base
        let space = pass.space, N = Float(replacement.shape.inputs)
        for position in 0..<side.order.positions {
            let mark = space.mark, at = (first + position) * d, tokens = side.order.rows(position),
                (D, terms) = sums(position)
            let product = space.matrix(tokens.count, d)
            gemm(D, w.rows(at..<at + d), transposeB: true, into: product)
            input_backward(
                product.base, gain + at, side.x.row(tokens.lowerBound), terms.base, N, gradient.row(tokens.lowerBound),
                tokens.count, d)
            space.release(to: mark)
        }
    }
}
