import CKernels
import Kernels

/// The backward pass of one network over one batch. With delta the gradient of `pre`,
///
///     a = delta / sd        D_j = sum of a over the hidden rows that see block j        G_j = x_j D_j^T, summed over the batch
///     M = G - 1 (sum a mean)^T     dW1 = M . g + b dv^T     dg = row sums of M . W1     db = W1 dv     db1 = dv = sum delta
///
/// so that everything follows from G_j, one product a block. D_j is `a` itself where the whole sentence is seen, a suffix sum
/// over positions for a causal network, and the sum over all positions for the source's blocks.
struct NetworkBackward {
    private let pass: ReplacementTraining
    private let network: ReplacementNetwork
    private let index: Int
    private let batch: ReplacementBatch
    private let moments: InputMoments
    private let hidden: HiddenLayer
    private let dropout: dropout_t
    private let target: ReplacementTraining.Target
    private var replacement: Replacement { pass.replacement }
    private var weights: FloatBlock { pass.weights }
    private var H: Int { replacement.shape.hidden }
    private static let parts = ReplacementTraining.parts

    init(
        _ pass: ReplacementTraining, _ network: ReplacementNetwork, _ index: Int, _ batch: ReplacementBatch, _ moments: InputMoments, _ hidden: HiddenLayer,
        _ randomness: Randomness, _ target: ReplacementTraining.Target
    ) {
        self.pass = pass
        self.network = network
        self.index = index
        self.batch = batch
        self.moments = moments
        self.hidden = hidden
        dropout = pass.hiddenDropout(index, randomness)
        self.target = target
    }

    /// Returns the summed squared error.
    func run(_ wanted: Matrix) -> Double {
        let rows = HiddenRows(order: batch.target.order, isCausal: replacement.isCausal)
        let dh = pass.space.matrix(rows.count, H)
        let squares = replacement.isCausal ? causalOutput(wanted, dh) : wholeOutput(wanted, dh)
        let sums = hiddenLayer(rows, dh)
        if replacement.isCausal { suffixSums(rows, dh) }
        firstLayer(rows, dh, sums)
        return squares
    }

    // MARK: - Second layer

    /// d loss / d y = 2 (y - wanted) / (T d)
    private var outputScale: Float { 2 / Float(batch.target.order.tokens * replacement.shape.width) }

    private func wanted(_ matrix: Matrix, _ tokens: Range<Int>) -> Matrix {
        let width = replacement.shape.outputWidth
        return matrix.rows(tokens).columns(index * width..<(index + 1) * width)
    }

    /// Every position has outputs of its own: each part takes every so many-th, and adds up its share of dh.
    private func wholeOutput(_ matrix: Matrix, _ dh: Matrix) -> Double {
        let space = pass.space, mark = space.mark
        let partial = PartMatrices(Self.parts, dh.rows, H, space), squares = pass.squares
        squares.clear()
        for part in 0..<Self.parts { partial[part].fill(0) }
        pass.forEachOutputBlock(network, batch.target.order, hidden.h) { block, part in
            let width = replacement.shape.outputWidth, inner = block.space.mark
            let out = block.space.matrix(block.tokens.count, width), dbias = block.space.take(width), dw = block.space.matrix(width, H)
            gemm(block.h, block.weight, transposeB: true, into: out)
            let goal = wanted(matrix, block.tokens)
            squares.add(squared_error(out.base, block.bias, goal.base, goal.stride, out.rows, width, outputScale, dbias), part)
            gemm(out, block.weight, into: partial[part].rows(0..<out.rows), accumulate: true)
            if out.rows > 0 { gemm(out, block.h, transposeA: true, into: dw) } else { dw.fill(0) }
            finish(network.second, block.index * width * H, dw.base, dw.count)
            finish(network.secondBias, block.index * width, dbias, width)
            block.space.release(to: inner)
        }
        pass.inParts { part, _ in
            let share = ReplacementTraining.share(dh.rows, part), to = dh.rows(share)
            to.fill(0)
            for other in 0..<Self.parts { add_rows(to.base, H, partial[other].row(share.lowerBound), H, share.count, H) }
        }
        space.release(to: mark)
        return squares.total
    }

    /// One block of outputs for all positions: each part takes a share of the tokens.
    private func causalOutput(_ matrix: Matrix, _ dh: Matrix) -> Double {
        let space = pass.space, mark = space.mark, width = replacement.shape.outputWidth
        let dw = PartMatrices(Self.parts, width, H, space), dbias = space.matrix(Self.parts, width), squares = pass.squares
        squares.clear()
        pass.forEachOutputBlock(network, batch.target.order, hidden.h) { block, part in
            let out = block.space.matrix(block.tokens.count, width)
            gemm(block.h, block.weight, transposeB: true, into: out)
            let goal = wanted(matrix, block.tokens)
            squares.add(squared_error(out.base, block.bias, goal.base, goal.stride, out.rows, width, outputScale, dbias.row(part)), part)
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
            let share = ReplacementTraining.share(rows.count, part), first = share.lowerBound, n = share.count
            let sum = space.take(n), dot = space.take(n)
            let y = hidden.y.row(first), g = dh.row(first), mean = hidden.mean + first, rstd = hidden.rstd + first
            func row(_ kind: Int) -> UnsafeMutablePointer<Float> { sums.row(kind * Self.parts + part) }
            hidden_normalise_backward(y, g, H, mean, rstd, gain, row(0), row(1), n, H, dropout, first, 0, H, sum, dot)
            for i in 0..<n {
                sum[i] /= Float(H)
                dot[i] /= Float(H)
            }
            hidden_backward(y, g, H, mean, rstd, gain, sum, dot, moments.mean + first, moments.rstd + first, n, H, row(2), row(3))
        }
        for kind in 0..<4 {
            for part in 1..<Self.parts { add_rows(sums.row(kind * Self.parts), H, sums.row(kind * Self.parts + part), H, 1, H) }
        }
        finish(network.hiddenNorm.gain, 0, sums.row(0), H)
        finish(network.hiddenNorm.shift, 0, sums.row(Self.parts), H)
        return HiddenSums(dv: sums.row(2 * Self.parts), aMean: sums.row(3 * Self.parts))
    }

    /// D_j = a_j + D_(j+1), in place.
    private func suffixSums(_ rows: HiddenRows, _ a: Matrix) {
        pass.inParts { part, _ in
            let sentences = ReplacementTraining.share(rows.order.sentences, part)
            for position in (0..<max(rows.positions - 1, 0)).reversed() {
                let later = rows.rows(position + 1, of: sentences)
                guard !later.isEmpty else { continue }
                add_rows(a.row(rows.order.starts[position] + sentences.lowerBound), H, a.row(later.lowerBound), H, later.count, H)
            }
        }
    }

    // MARK: - First layer

    private func firstLayer(_ rows: HiddenRows, _ D: Matrix, _ sums: HiddenSums) {
        let order = batch.target.order
        if let memory = batch.memory {
            // D of the source is that of position 0 of the target, which every row sees
            let own = pass.space.zeros(memory.order.sentences, H)
            let seeing = replacement.isCausal ? order.count(0) : order.sentences
            for place in 0..<seeing { own.row(batch.memoryPlace(place, memory)).update(from: D.row(place), count: H) }
            blocks(memory, first: 0, sums) { own.rows(0..<memory.order.count($0)) }
        }
        blocks(batch.target, first: replacement.firstTargetBlock, sums) {
            replacement.isCausal ? D.rows(order.rows($0)) : D.rows(0..<order.count($0))
        }
        finish(network.firstBias, 0, sums.dv, H)
    }

    /// Gradient and update of the S blocks of one side, those that no sentence reached included: mean and shift see them.
    private func blocks(_ side: ReplacementSide, first: Int, _ sums: HiddenSums, _ D: (_ position: Int) -> Matrix) {
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
                input_gradient(g.base, H, w.row(at), w.stride, gain + at, shift + at, sums.dv, sums.aMean, d, H, dgain, dshift)
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
        switch target {
        case .gradient(let block): add_rows(block.base + at, count, gradient, count, 1, count)
        case .update(let moment1, let moment2, var adam):
            if slot.shape.count == 1 { adam.decay = 0 } // gains would decay towards zero, and biases have nothing to overfit with
            adam_step(weights.base + at, moment1.base + at, moment2.base + at, gradient, count, adam)
        }
    }
}
