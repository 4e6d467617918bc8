import CKernels
import Kernels

/// The backward pass of one network over one batch. With delta the gradient of `pre`,
///
///     a = delta / sd     D_j = sum of a over the hidden rows that see block j     G_j = x_j D_j^T over the batch
///     M = G - 1 (sum a mean)^T     dW1 = M . g + b dv^T     dg = row sums of M . W1
///     db = W1 dv     db1 = dv = sum delta
///
/// so that everything follows from G_j, one product a block. D_j is `a` itself where the whole sentence is seen, a
/// suffix sum over positions where prefixes are, and the sum over all positions for the source's blocks.
struct FlattenedBackward {
    private let pass: FlattenedTraining
    private let tape: FlattenedTape
    private let network: FlattenedNetwork
    private let dropout: dropout_t
    private let sink: any GradientSink
    private var batch: FlattenedBatch { tape.batch }
    private var moments: InputMoments { tape.moments }
    private var hidden: HiddenLayer { tape.hidden }
    private var replacement: FlattenedReplacement { pass.replacement }
    private var weights: FloatBlock { pass.weights }
    private var H: Int { replacement.shape.hidden }

    init(_ pass: FlattenedTraining, _ tape: FlattenedTape, _ sink: any GradientSink) {
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
        let squares = secondLayer(goal, rows, dh)
        let sums = hiddenLayer(rows, dh), terms = inputs.map { _ in inputTerms(rows, dh) }
        if rows.areOfPrefixes { pass.runningSums(rows.order, dh, fromEnd: true) }
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
        _ dbias: UnsafeMutablePointer<Float>, _ space: Workspace
    ) -> Double {
        let width = replacement.shape.outputWidth, columns = tape.index * width..<(tape.index + 1) * width
        switch goal {
        case .squaredError(let targets):
            block.product(into: out, space)
            let values = targets.rows(block.tokens).columns(columns)
            return squared_error(out.base, block.bias, values.base, values.stride, out.rows, width, outputScale, dbias)
        case .given(let dy):
            out.copy(from: dy.rows(block.tokens).columns(columns))
            dbias.update(repeating: 0, count: width)
            add_column_sums(out.base, out.stride, dbias, out.rows, width)
            return 0
        }
    }

    /// Gradient and update of the output's weights, and dh. Returns the summed squared error.
    private func secondLayer(_ goal: OutputGradient, _ rows: HiddenRows, _ dh: Matrix) -> Double {
        let space = pass.space, mark = space.mark, width = replacement.shape.outputWidth
        let blocks = pass.outputBlocks(tape), out = space.matrix(rows.order.tokens, width),
            dbias = space.matrix(max(blocks, 1), width), squares = space.room(for: Double.self, count: blocks)
        let makesProducts = if case .squaredError = goal { true } else { false }
        pass.forEachOutputBlock(tape, makesProducts: makesProducts) { block, index, space in
            let own = out.rows(block.tokens)
            squares[index] = gradient(goal, of: block, own, dbias.row(index), space)
            if replacement.isCausal { gemm(own, block.weight, into: dh.rows(block.tokens)) }
        }
        if replacement.isCausal {
            for index in 1..<max(blocks, 1) { add_rows(dbias.base, width, dbias.row(index), width, 1, width) }
            if blocks == 0 { dbias.fill(0) }
            finish(network.secondBias, 0, dbias.base, width)
            sharedWeights(out)
        } else {
            finish(network.secondBias, 0, dbias.base, dbias.count)
            backProducts(out, rows, into: dh)
            weightsByPosition(out, rows)
        }
        defer { space.release(to: mark) }
        return (0..<blocks).reduce(0) { $0 + squares[$1] }
    }

    /// dh = sum of dy_j W2_j over the positions j whose outputs come from a hidden row.
    private func backProducts(_ out: Matrix, _ rows: HiddenRows, into dh: Matrix) {
        let order = rows.order, width = replacement.shape.outputWidth, w = weights[network.second]
        pass.forEachHiddenBlock(order.sentences) { columns, sentences in
            let own = dh.columns(columns)
            if !rows.areOfPrefixes { own.rows(sentences).fill(0) }
            for position in 0..<order.positions {
                let places = order.reaching(position, sentences), tokens = order.rows(position, at: places)
                guard !places.isEmpty else { break }
                gemm(
                    out.rows(tokens), w.rows(position * width..<(position + 1) * width).columns(columns),
                    into: own.rows(rows.areOfPrefixes ? tokens : places), accumulate: !rows.areOfPrefixes)
            }
        }
    }

    /// dW2 = dy^T h over all tokens.
    private func sharedWeights(_ out: Matrix) {
        let columns = pass.hiddenColumns(for: pass.cuts)
        pass.run(columns.count) { task, space in
            finishSecond(out, hidden.h, columns[task], at: 0, space)
        }
    }

    /// dW2_j = dy_j^T h over the sentences that reach j; of positions that none reaches it is 0.
    private func weightsByPosition(_ out: Matrix, _ rows: HiddenRows) {
        pass.forEachPosition(
            replacement.shape.outputBlocks, rows.order, cutting: H, unit: FlattenedTraining.productColumns
        ) { position, columns, space in
            finishSecond(
                out.rows(rows.order.rows(position)), hidden.h.rows(rows.rows(position)), columns, at: position, space)
        }
    }

    /// Some columns of an output block's weights.
    private func finishSecond(_ dy: Matrix, _ h: Matrix, _ columns: Range<Int>, at block: Int, _ space: Workspace) {
        let width = replacement.shape.outputWidth, first = block * width * H
        let dw = space.matrix(width, columns.count)
        weightGradient(dy, h.columns(columns), into: dw)
        if columns.count == H { return finish(network.second, first, dw.base, dw.count) }
        for row in 0..<width {
            finish(network.second, first + row * H + columns.lowerBound, dw.row(row), columns.count)
        }
    }

    // MARK: - Hidden layer

    /// Sums over the hidden rows that the first layer's gradient needs: dv = sum delta, and sum a mean.
    private struct HiddenSums {
        let dv: UnsafeMutablePointer<Float>
        let aMean: UnsafeMutablePointer<Float>
    }

    /// Rows of the hidden layer whose sums are added up by one task: so many that there are 64 blocks at most.
    private static func blockRows(_ rows: Int) -> Int { max(32, (rows + 63) / 64) }

    /// dh becomes a.
    private func hiddenLayer(_ rows: HiddenRows, _ dh: Matrix) -> HiddenSums {
        let space = pass.space, size = Self.blockRows(rows.count), blocks = max(1, (rows.count + size - 1) / size)
        let gain = weights[network.hiddenNorm.gain].base, sums = space.zeros(4 * blocks, H)
        pass.run(blocks) { block, space in
            let first = block * size, n = min(size, rows.count - first)
            let sum = space.take(n), dot = space.take(n)
            let y = hidden.y.row(first), g = dh.row(first), mean = hidden.mean + first, rstd = hidden.rstd + first
            func row(_ kind: Int) -> UnsafeMutablePointer<Float> { sums.row(kind * blocks + block) }
            hidden_normalise_backward(
                y, g, H, mean, rstd, gain, row(0), row(1), n, H, dropout.from(row: first), sum, dot)
            for i in 0..<n {
                sum[i] /= Float(H)
                dot[i] /= Float(H)
            }
            hidden_backward(
                y, g, H, mean, rstd, gain, sum, dot, moments.mean + first, moments.rstd + first, n, H, row(2), row(3))
        }
        pass.run(4) { kind, _ in
            for block in 1..<blocks { add_rows(sums.row(kind * blocks), H, sums.row(kind * blocks + block), H, 1, H) }
        }
        finish(network.hiddenNorm.gain, 0, sums.row(0), H)
        finish(network.hiddenNorm.shift, 0, sums.row(blocks), H)
        return HiddenSums(dv: sums.row(2 * blocks), aMean: sums.row(3 * blocks))
    }

    // MARK: - First layer

    /// D of the source's blocks, in the source's order: that of position 0 of the input, which every row sees.
    private func sourceRows(_ rows: HiddenRows, _ D: Matrix, _ memory: FlattenedSide) -> Matrix {
        let own = pass.space.zeros(memory.order.sentences, D.columns)
        pass.forEachRowBlock(of: rows.areOfPrefixes ? rows.order.count(0) : rows.order.sentences) { places in
            for place in places {
                own.row(batch.memoryPlace(place, memory)).update(from: D.row(place), count: D.columns)
            }
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
        pass.forEachPosition(
            replacement.shape.maxTokens, side.order, cutting: d, unit: Self.productRows
        ) { position, own, space in
            let at = (first + position) * d + own.lowerBound
            let g = space.matrix(own.count, H), dgain = space.take(own.count), dshift = space.take(own.count)
            weightGradient(side.x.rows(side.order.rows(position)).columns(own), D(position), into: g)
            input_gradient(
                g.base, H, w.row(at), w.stride, gain + at, shift + at, sums.dv, sums.aMean, own.count, H, dgain, dshift)
            finish(network.first, at * H, g.base, g.count)
            finish(network.inputNorm.gain, at, dgain, own.count)
            finish(network.inputNorm.shift, at, dshift, own.count)
        }
    }

    private static let productRows = product_rows()

    // MARK: - Result

    /// `count` numbers of a tensor's gradient, from `offset` on, are known.
    private func finish(_ slot: Slot, _ offset: Int, _ gradient: UnsafeMutablePointer<Float>, _ count: Int) {
        sink.take(gradient, count, at: slot.offset + offset, of: slot)
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
            let product = space.matrix(tokens.count, d), own = w.rows(at..<at + d)
            Panels(own, at: space.take(Panels.count(own))).product(D, bias: nil, into: product, space)
            input_backward(
                product.base, gain + at, side.x.row(tokens.lowerBound), terms.base, N, gradient.row(tokens.lowerBound),
                tokens.count, d)
            space.release(to: mark)
        }
    }
}
