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
        sums(
            network, batch.input, firstBlock: replacement.firstTargetBlock, from: start, areOfPrefixes: seesPrefixes,
            into: hidden.y)
        normalise(network, rows, hidden, moments, hiddenDropout(index, randomness))
        space.release(to: mark)
        return FlattenedTape(index: index, batch: batch, moments: moments, hidden: hidden, randomness: randomness)
    }

    /// u = W1 g and v = W1 b + b1.
    private func inputProjections(_ network: FlattenedNetwork, _ hidden: HiddenLayer) {
        let w = weights[network.first], gain = weights[network.inputNorm.gain].base,
            shift = weights[network.inputNorm.shift].base, (u, v) = (hidden.u, hidden.v)
        v.copy(from: weights[network.firstBias])
        let size = replacement.shape.width, blocks = w.rows / size, parts = space.matrix(2 * blocks, w.columns)
        run(blocks) { block, _ in
            let first = block * size
            parts.row(block).update(repeating: 0, count: w.columns)
            parts.row(blocks + block).update(repeating: 0, count: w.columns)
            input_projections(
                w.row(first), w.stride, gain + first, shift + first, parts.row(block), parts.row(blocks + block), size,
                w.columns)
        }
        add_column_sums(parts.base, parts.stride, u.base, blocks, w.columns)
        add_column_sums(parts.row(blocks), parts.stride, v.base, blocks, w.columns)
    }

    /// Sums of W1_j (g_j . x_j) over the positions j of a side, on top of `start`: of all of a sentence's, [sentences,
    /// H], or of those up to each, [tokens, H].
    private func sums(
        _ network: FlattenedNetwork, _ side: FlattenedSide, firstBlock: Int, from start: Matrix?, areOfPrefixes: Bool,
        into sums: Matrix
    ) {
        let order = side.order, d = replacement.shape.width, w = weights[network.first], mark = space.mark
        let x = space.matrix(order.tokens, d), gain = weights[network.inputNorm.gain].base + firstBlock * d
        run(order.positions) { position, _ in
            let rows = order.rows(position), first = rows.lowerBound
            scale_columns(side.x.row(first), gain + position * d, x.row(first), rows.count, d)
        }
        func block(_ position: Int) -> Matrix {
            let at = (firstBlock + position) * d
            return w.rows(at..<at + d)
        }
        if areOfPrefixes {
            forEachPosition(
                order.positions, order, cutting: w.columns, unit: Self.productColumns
            ) { position, columns, _ in
                let rows = order.rows(position), own = sums.rows(rows).columns(columns)
                if position == 0 { own.begin(start?.rows(0..<rows.count).columns(columns)) }
                gemm(x.rows(rows), block(position).columns(columns), into: own, accumulate: position == 0)
            }
            runningSums(order, sums)
        } else {
            forEachHiddenBlock(order.sentences) { columns, sentences in
                let own = sums.columns(columns)
                own.rows(sentences).begin(start?.columns(columns).rows(sentences))
                for position in 0..<order.positions {
                    let places = order.reaching(position, sentences)
                    guard !places.isEmpty else { break }
                    gemm(
                        x.rows(order.rows(position, at: places)), block(position).columns(columns),
                        into: own.rows(places), accumulate: true)
                }
            }
        }
        space.release(to: mark)
    }

    /// The source's part of `pre`, in the input's order.
    private func sourceSums(_ network: FlattenedNetwork, _ memory: FlattenedSide, _ batch: FlattenedBatch) -> Matrix {
        let result = space.matrix(memory.order.sentences, replacement.shape.hidden), mark = space.mark
        let own = space.matrix(result.rows, result.columns)
        sums(network, memory, firstBlock: 0, from: nil, areOfPrefixes: false, into: own)
        forEachRowBlock(of: result.rows) { places in
            for place in places {
                result.row(place).update(from: own.row(batch.memoryPlace(place, memory)), count: result.columns)
            }
        }
        space.release(to: mark)
        return result
    }

    /// leaky, LayerNorm and dropout.
    private func normalise(
        _ network: FlattenedNetwork, _ rows: HiddenRows, _ hidden: HiddenLayer, _ moments: InputMoments,
        _ dropout: dropout_t
    ) {
        let H = replacement.shape.hidden
        let gain = weights[network.hiddenNorm.gain].base, shift = weights[network.hiddenNorm.shift].base
        forEachRowBlock(of: rows.count) { share in
            let first = share.lowerBound, y = hidden.y.row(first)
            let mean = hidden.mean + first, rstd = hidden.rstd + first
            hidden_forward(
                y, H, moments.mean + first, moments.rstd + first, hidden.u.base, hidden.v.base, share.count, H, mean,
                rstd, FlattenedReplacement.epsilon)
            hidden_normalise(
                y, hidden.h.row(first), H, mean, rstd, gain, shift, share.count, H, dropout.from(row: first))
        }
    }

    /// One network's columns of the outputs, bias included.
    func output(_ tape: FlattenedTape, into out: Matrix) {
        let width = replacement.shape.outputWidth, columns = out.columns(tape.index * width..<(tape.index + 1) * width)
        forEachOutputBlock(tape) { block, _, space in
            let y = space.matrix(block.tokens.count, width)
            block.product(into: y, space)
            add_bias(y.base, block.bias, y.rows, width)
            columns.rows(block.tokens).copy(from: y)
        }
    }

    /// Tokens whose outputs come from the same weights, with the hidden rows that they come from.
    struct OutputBlock {
        let tokens: Range<Int>
        let h: Matrix
        let weight: Matrix
        let bias: UnsafeMutablePointer<Float>
        /// The weights laid out for products, where several blocks share them.
        fileprivate let panels: Panels?

        /// y = h W2^T
        func product(into y: Matrix, _ space: Workspace) {
            guard y.rows > 0 else { return }
            let panels = panels ?? Panels(weight, at: space.take(Panels.count(weight)))
            panels.product(h, bias: nil, into: y, space)
        }
    }

    /// Tokens of a block of a causal network, all of whose outputs come from the same weights.
    private static let blockTokens = 64

    /// Blocks that outputs are cut into: positions, or so many tokens of a causal network.
    func outputBlocks(_ tape: FlattenedTape) -> Int {
        let tokens = tape.batch.input.order.tokens
        return replacement.isCausal
            ? (tokens + Self.blockTokens - 1) / Self.blockTokens : replacement.shape.outputBlocks
    }

    /// - Parameter makesProducts: whether `body` asks for the blocks' products
    func forEachOutputBlock(
        _ tape: FlattenedTape, makesProducts: Bool = true,
        _ body: (OutputBlock, _ index: Int, Workspace) -> Void
    ) {
        let network = replacement.networks[tape.index], rows = HiddenRows(self, tape.batch), order = rows.order,
            h = tape.hidden.h, width = replacement.shape.outputWidth, weight = weights[network.second],
            bias = weights[network.secondBias].base, mark = space.mark
        let panels = replacement.isCausal && makesProducts ? packed(weight) : nil
        run(outputBlocks(tape)) { index, space in
            if replacement.isCausal {
                let tokens = index * Self.blockTokens..<min((index + 1) * Self.blockTokens, order.tokens)
                body(
                    OutputBlock(tokens: tokens, h: h.rows(tokens), weight: weight, bias: bias, panels: panels), index,
                    space)
            } else {
                body(
                    OutputBlock(
                        tokens: order.rows(index), h: h.rows(rows.rows(index)),
                        weight: weight.rows(index * width..<(index + 1) * width), bias: bias + index * width,
                        panels: nil), index, space)
            }
        }
        space.release(to: mark)
    }

    /// All threads lay the weights out.
    private func packed(_ weight: Matrix) -> Panels {
        let panels = Panels(
            inputs: weight.columns, outputs: weight.rows, unpackedAt: space.take(Panels.count(weight)))
        let cut = EvenCut(weight.rows, for: weight.rows, unit: Panels.width)
        run(cut.count) { task, _ in panels.pack(weight, cut[task]) }
        return panels
    }
}

extension Matrix {
    /// Becomes what sums go on from: another matrix, or zeros.
    fileprivate func begin(_ start: Matrix?) {
        if let start { copy(from: start) } else { fill(0) }
    }
}
