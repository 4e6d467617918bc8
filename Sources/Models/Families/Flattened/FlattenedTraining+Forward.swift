import CKernels
import Kernels

extension FlattenedTraining {
    /// - Parameter index: of the network among those of the replacement
    func forward(
        _ index: Int, _ batch: FlattenedBatch, _ moments: InputMoments, _ randomness: Randomness
    ) -> FlattenedTape {
        let network = replacement.networks[index], H = replacement.shape.hidden, rows = HiddenRows(self, batch)
        let hidden = HiddenLayer(
            y: space.matrix(rows.count, H), h: space.matrix(rows.count, H), mean: space.take(rows.count),
            rstd: space.take(rows.count),
            u: space.zeros(1, H), v: space.matrix(1, H))
        let mark = space.mark
        inputProjections(network, hidden)
        let start = batch.memory.map { sourceSums(network, $0, batch) }
        if seesPrefixes {
            prefixSums(network, rows, batch.target, from: start, into: hidden.y)
        } else {
            wholeSums(network, batch.target, from: start, into: hidden.y)
        }
        normalise(network, rows, hidden, moments, hiddenDropout(index, randomness))
        space.release(to: mark)
        return FlattenedTape(index: index, batch: batch, moments: moments, hidden: hidden, randomness: randomness)
    }

    /// u = W1 g and v = W1 b + b1.
    private func inputProjections(_ network: FlattenedNetwork, _ hidden: HiddenLayer) {
        let w = weights[network.first], gain = weights[network.inputNorm.gain].base,
            shift = weights[network.inputNorm.shift].base
        let partial = space.zeros(2 * Self.parts, w.columns)
        inParts { part, _ in
            let rows = Self.share(w.rows, part)
            input_projections(
                w.row(rows.lowerBound), w.stride, gain + rows.lowerBound, shift + rows.lowerBound, partial.row(part),
                partial.row(Self.parts + part), rows.count, w.columns)
        }
        let (u, v) = (hidden.u, hidden.v)
        v.copy(from: weights[network.firstBias])
        for part in 0..<Self.parts {
            add_rows(u.base, u.stride, partial.row(part), partial.stride, 1, w.columns)
            add_rows(v.base, v.stride, partial.row(Self.parts + part), partial.stride, 1, w.columns)
        }
    }

    /// y = W1_block (g . x) for the tokens at one position; added where `accumulate`.
    private func product(
        _ network: FlattenedNetwork, block: Int, _ x: Matrix, into y: Matrix, accumulate: Bool, _ space: Workspace
    ) {
        let d = replacement.shape.width, mark = space.mark, scaled = space.matrix(x.rows, d)
        scale_columns(x.base, weights[network.inputNorm.gain].base + block * d, scaled.base, x.rows, d)
        gemm(scaled, weights[network.first].rows(block * d..<(block + 1) * d), into: y, accumulate: accumulate)
        space.release(to: mark)
    }

    /// Sums over all positions of a side, [sentences, H] in its order: each part takes every so many-th position.
    private func sums(
        _ network: FlattenedNetwork, _ side: FlattenedSide, firstBlock: Int, into total: Matrix, fresh: Bool
    ) {
        let partial = PartMatrices(Self.parts, total.rows, total.columns, space)
        inParts { part, space in
            partial[part].fill(0)
            for position in stride(from: part, to: side.order.positions, by: Self.parts) {
                let count = side.order.count(position)
                product(
                    network, block: firstBlock + position, side.x.rows(side.order.rows(position)),
                    into: partial[part].rows(0..<count),
                    accumulate: true, space)
            }
        }
        inParts { part, _ in
            let rows = Self.share(total.rows, part), to = total.rows(rows)
            if fresh { to.fill(0) }
            for other in 0..<Self.parts {
                add_rows(to.base, to.stride, partial[other].row(rows.lowerBound), to.columns, rows.count, to.columns)
            }
        }
    }

    /// The source's part of `pre`, in the target's order.
    private func sourceSums(_ network: FlattenedNetwork, _ memory: FlattenedSide, _ batch: FlattenedBatch) -> Matrix {
        let result = space.matrix(memory.order.sentences, replacement.shape.hidden), mark = space.mark
        let own = space.matrix(result.rows, result.columns)
        sums(network, memory, firstBlock: 0, into: own, fresh: true)
        for place in 0..<result.rows {
            result.row(place).update(from: own.row(batch.memoryPlace(place, memory)), count: result.columns)
        }
        space.release(to: mark)
        return result
    }

    private func wholeSums(_ network: FlattenedNetwork, _ side: FlattenedSide, from start: Matrix?, into pre: Matrix) {
        if let start { pre.copy(from: start) }
        sums(network, side, firstBlock: replacement.firstTargetBlock, into: pre, fresh: start == nil)
    }

    /// pre_i = start + sum of the products up to i: a product a position, then prefix sums.
    private func prefixSums(
        _ network: FlattenedNetwork, _ rows: HiddenRows, _ side: FlattenedSide, from start: Matrix?, into pre: Matrix
    ) {
        let order = side.order
        inParts { part, space in
            for position in stride(from: part, to: order.positions, by: Self.parts) {
                let range = order.rows(position)
                product(
                    network, block: replacement.firstTargetBlock + position, side.x.rows(range), into: pre.rows(range),
                    accumulate: false, space)
            }
        }
        inParts { part, _ in
            let sentences = Self.share(order.sentences, part)
            for position in 0..<order.positions {
                let own = rows.rows(position, of: sentences)
                guard !own.isEmpty else { break }
                let before =
                    position > 0
                    ? pre.row(order.starts[position - 1] + sentences.lowerBound)
                    : start.map { $0.row(sentences.lowerBound) }
                if let before {
                    add_rows(pre.row(own.lowerBound), pre.stride, before, pre.stride, own.count, pre.columns)
                }
            }
        }
    }

    /// leaky, LayerNorm and dropout.
    private func normalise(
        _ network: FlattenedNetwork, _ rows: HiddenRows, _ hidden: HiddenLayer, _ moments: InputMoments,
        _ dropout: dropout_t
    ) {
        let H = replacement.shape.hidden
        let gain = weights[network.hiddenNorm.gain].base, shift = weights[network.hiddenNorm.shift].base
        inParts { part, _ in
            let share = Self.share(rows.count, part), first = share.lowerBound, y = hidden.y.row(first)
            let mean = hidden.mean + first, rstd = hidden.rstd + first
            hidden_forward(
                y, H, moments.mean + first, moments.rstd + first, hidden.u.base, hidden.v.base, share.count, H, mean,
                rstd, FlattenedReplacement.epsilon)
            hidden_normalise(y, hidden.h.row(first), H, mean, rstd, gain, shift, share.count, H, dropout, first, 0, H)
        }
    }

    /// One network's columns of the outputs, bias included.
    func output(_ tape: FlattenedTape, into out: Matrix) {
        let width = replacement.shape.outputWidth, columns = out.columns(tape.index * width..<(tape.index + 1) * width)
        forEachOutputBlock(tape) { block, _ in
            let mark = block.space.mark, y = block.space.matrix(block.tokens.count, width)
            gemm(block.h, block.weight, transposeB: true, into: y)
            add_bias(y.base, block.bias, y.rows, width)
            columns.rows(block.tokens).copy(from: y)
            block.space.release(to: mark)
        }
    }

    /// Tokens whose outputs come from the same weights, with the hidden rows that they come from.
    struct OutputBlock {
        /// Position whose outputs these are; 0 for a causal network, which has outputs for one only.
        let index: Int
        let tokens: Range<Int>
        let h: Matrix
        let weight: Matrix
        let bias: UnsafeMutablePointer<Float>
        let space: Workspace
    }

    /// Positions of the order, or shares of all tokens for a causal network.
    func forEachOutputBlock(_ tape: FlattenedTape, _ body: (OutputBlock, _ part: Int) -> Void) {
        let network = replacement.networks[tape.index], rows = HiddenRows(self, tape.batch), order = rows.order,
            h = tape.hidden.h
        let width = replacement.shape.outputWidth, weight = weights[network.second],
            bias = weights[network.secondBias].base
        inParts { part, space in
            if replacement.isCausal {
                let tokens = Self.share(order.tokens, part)
                body(
                    OutputBlock(index: 0, tokens: tokens, h: h.rows(tokens), weight: weight, bias: bias, space: space),
                    part)
            } else {
                for position in stride(from: part, to: replacement.shape.outputBlocks, by: Self.parts) {
                    body(
                        OutputBlock(
                            index: position, tokens: order.rows(position), h: h.rows(rows.rows(position)),
                            weight: weight.rows(position * width..<(position + 1) * width),
                            bias: bias + position * width, space: space), part)
                }
            }
        }
    }
}
