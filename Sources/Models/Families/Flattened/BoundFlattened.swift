import CKernels
import Kernels

/// A replacement with its weights laid out for translation. Read-only: any number of threads may use it.
///
/// Products are made with packed weights, a row's result depends on that row alone, so a translation does not depend on
/// the batch that it is in. What is linear is multiplied here, once: the first LayerNorm's gain into the blocks of W1,
/// the output projection that follows into those of W2, the second LayerNorm's shift into their biases; u and v. Its
/// gain is not: bytes of hidden units would have to cover what the gain makes small (cross M lost 5.7 BLEU).
final class BoundFlattened {
    fileprivate struct Network {
        /// A block of W1 for each input position, [H, d].
        let blocks: [LinearPanels]
        let u: [Float]
        let v: [Float]
        let hiddenGain: [Float]
        /// A block of W2 for each position, or one.
        let outputs: [LinearPanels]
    }

    fileprivate let replacement: FlattenedReplacement
    fileprivate let networks: [Network]
    let isProjected: Bool
    fileprivate var shape: FlattenedShape { replacement.shape }

    /// - Parameter projection: becomes part of the network, of one network alone
    init(_ replacement: FlattenedReplacement, _ weights: BoundWeights, projection: OutputProjection? = nil) {
        require(projection == nil || replacement.networks.count == 1, "a projection of one network's output")
        self.replacement = replacement
        isProjected = projection != nil
        networks = replacement.networks.map { Self.bind($0, replacement.shape, weights, projection) }
    }

    private static func bind(
        _ network: FlattenedNetwork, _ shape: FlattenedShape, _ weights: BoundWeights, _ projection: OutputProjection?
    ) -> Network {
        let d = shape.width, H = shape.hidden, w = weights[network.first]
        let gain = weights[network.inputNorm.gain].base, shift = weights[network.inputNorm.shift].base
        var u = [Float](repeating: 0, count: H),
            v = Array(UnsafeBufferPointer(start: weights[network.firstBias].base, count: H))
        input_projections(w.base, H, gain, shift, &u, &v, w.rows, H)
        let scaled = FloatBlock(H * d), block = scaled.matrix(H, d)
        let blocks = (0..<shape.inputBlocks).map { j in
            for i in 0..<d { for h in 0..<H { block[h, i] = w[j * d + i, h] * gain[j * d + i] } }
            return LinearPanels(block, weights.precision)
        }
        let second = weights[network.second], bias = weights[network.secondBias].base, width = shape.outputWidth
        let hiddenGain = weights[network.hiddenNorm.gain].base, hiddenShift = weights[network.hiddenNorm.shift].base
        let outputs = (0..<shape.outputBlocks).map { position in
            let own = second.rows(position * width..<(position + 1) * width),
                ownBias = Self.affine(own, hiddenShift, bias + position * width)
            return projection.map { $0.after(own, ownBias, weights.precision) }
                ?? LinearPanels(own, bias: ownBias, weights.precision)
        }
        return Network(
            blocks: blocks, u: u, v: v, hiddenGain: Array(UnsafeBufferPointer(start: hiddenGain, count: H)),
            outputs: outputs)
    }

    fileprivate var outputMode: panel_mode_t { isProjected ? panel_add : panel_bias }

    /// W x + b.
    fileprivate static func affine(_ w: Matrix, _ x: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> [Float] {
        (0..<w.rows).map { row in (0..<w.columns).reduce(b[row]) { $0 + w[row, $1] * x[$1] } }
    }

    /// What the last layer takes of `rows` rows, row r being row places[r] of pre, or r: gain (y - mean) / sd of
    /// y = leaky(1/sd (pre - mean u) + v). Taken from `space`.
    fileprivate func hidden(
        _ network: Network, _ pre: Matrix, at places: UnsafePointer<Int32>? = nil, rows: Int,
        sums: UnsafePointer<Float>, squares: UnsafePointer<Float>,
        _ space: Workspace
    ) -> PanelRows {
        let H = shape.hidden, type = network.outputs[0].type, scratch = space.take(hidden_scratch(rows, H, type))
        let mark = space.mark, mean = space.take(rows), rstd = space.take(rows)
        Self.moments(sums, squares, count: shape.inputs, rows, mean, rstd)
        defer { space.release(to: mark) }
        return PanelRows(
            hidden_rows(
                pre.base, places, mean, rstd, network.u, network.v, network.hiddenGain, rows, H,
                FlattenedReplacement.epsilon, type, scratch))
    }

    private static func moments(
        _ sums: UnsafePointer<Float>, _ squares: UnsafePointer<Float>, count: Int, _ rows: Int,
        _ mean: UnsafeMutablePointer<Float>, _ rstd: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            (mean[row], rstd[row]) = FlattenedReplacement.moments(
                sum: sums[row], squares: squares[row], of: Float(count))
        }
    }
}

extension OutputProjection {
    /// W (w x + b) + bias.
    fileprivate func after(_ w: Matrix, _ b: UnsafePointer<Float>, _ precision: Precision) -> LinearPanels {
        let product = FloatBlock(weight.rows * w.columns), result = product.matrix(weight.rows, w.columns)
        gemm(weight, w, into: result)
        return withExtendedLifetime(product) {
            LinearPanels(result, bias: BoundFlattened.affine(weight, b, bias), precision)
        }
    }
}

// MARK: - Whole sentences

extension BoundFlattened: SentenceMap {
    /// Tokens beyond the longest sentence that the network knows, which no text has that is translated, get zeros, or
    /// nothing added.
    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
        let mark = space.mark, count = sentences.sentences, width = shape.outputWidth
        var order = PositionMajor()
        let tokens = arrange(sentences, &order, space), (sums, squares) = totals(x, order, tokens, space)
        if order.tokens < x.rows, !isProjected { y.fill(0) }
        for (index, network) in networks.enumerated() {
            let inner = space.mark, pre = space.zeros(count, shape.hidden),
                part = y.columns(index * width..<(index + 1) * width)
            addBlocks(network, x, order, tokens, to: pre, space)
            let h = hidden(network, pre, rows: count, sums: sums, squares: squares, space)
            for position in 0..<order.positions {
                let range = order.rows(position)
                network.outputs[position](h, into: part, at: tokens + range.lowerBound, count: range.count, outputMode)
            }
            space.release(to: inner)
        }
        space.release(to: mark)
    }

    /// The rows of the sentences' tokens, in the order's order.
    fileprivate func arrange(
        _ sentences: Packed, _ order: inout PositionMajor, _ space: Workspace
    ) -> UnsafePointer<Int32> {
        order.arrange(sentences.sentences, limit: shape.maxTokens, length: sentences.length)
        let tokens = space.integers(order.tokens)
        order.forEachRow { row, sentence, position in
            tokens[row] = Int32(sentences.offsets[sentence] + position)
        }
        return UnsafePointer(tokens)
    }

    /// pre += the products of the first blocks of W1 with the tokens, a row for each sentence of the order.
    fileprivate func addBlocks(
        _ network: Network, _ x: Matrix, _ order: PositionMajor, _ tokens: UnsafePointer<Int32>, to pre: Matrix,
        _ space: Workspace
    ) {
        for position in 0..<order.positions {
            let range = order.rows(position), mark = space.mark, block = network.blocks[position]
            block(
                block.rows(x, at: tokens + range.lowerBound, count: range.count, space), into: pre, count: range.count,
                panel_add)
            space.release(to: mark)
        }
    }

    /// Sum and sum of squares of each sentence of the order.
    fileprivate func totals(
        _ x: Matrix, _ order: PositionMajor, _ tokens: UnsafePointer<Int32>, _ space: Workspace
    ) -> (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) {
        require(x.isContiguous, "tokens in columns of a wider matrix")
        let totals = space.zeros(2, order.sentences), mark = space.mark, own = space.matrix(2, max(x.rows, 1))
        row_moments(x.base, x.rows, x.columns, own.row(0), own.row(1))
        for position in 0..<order.positions {
            for (place, row) in order.rows(position).enumerated() {
                totals[0, place] += own[0, Int(tokens[row])]
                totals[1, place] += own[1, Int(tokens[row])]
            }
        }
        space.release(to: mark)
        return (totals.row(0), totals.row(1))
    }
}

// MARK: - Position by position

extension BoundFlattened: StepAttention {
    var hasConstantState: Bool { true }
    func makeState() -> any StepState { FlattenedState(self) }
}

/// The running sums of each hypothesis: whatever the position, a step is one block of W1 and one of W2.
private final class FlattenedState: StepState {
    private let bound: BoundFlattened
    private let network: BoundFlattened.Network
    /// [slots, H], [2, slots]
    private var pre = FloatBlock(0).matrix(0, 0)
    private var sums = FloatBlock(0).matrix(0, 0)
    /// What the sources come to, in the order's order: [sentences, H], [2, sentences]
    private var sourcePre: Matrix?
    private var sourceSums: [UnsafeMutablePointer<Float>] = []
    private var order = PositionMajor()

    init(_ bound: BoundFlattened) {
        self.bound = bound
        network = bound.networks[0]  // only `alr`, of one network, stands in a decoder
    }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        pre = space.matrix(slots, bound.shape.hidden)
        sums = space.matrix(2, slots)
        guard bound.shape.attention.readsMemory else { return }
        let tokens = bound.arrange(sources, &order, space), (sum, squares) = bound.totals(memory, order, tokens, space)
        let result = space.zeros(sources.sentences, bound.shape.hidden)
        bound.addBlocks(network, memory, order, tokens, to: result, space)
        (sourcePre, sourceSums) = (result, [sum, squares])
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        if rows.position == 0 { start(rows) }
        require(x.isContiguous, "tokens in columns of a wider matrix")
        let mark = space.mark, n = rows.count, own = space.matrix(2, n)
        row_moments(x.base, n, x.columns, own.row(0), own.row(1))
        for (row, slot) in rows.slots.enumerated() {
            for kind in 0..<2 {
                sums[kind, Int(slot)] += own[kind, row]
                own[kind, row] = sums[kind, Int(slot)]
            }
        }
        let block = network.blocks[bound.replacement.firstTargetBlock + rows.position]
        block(block.rows(x, count: n, space), into: pre, at: rows.slots, count: n, panel_add)
        let h = bound.hidden(network, pre, at: rows.slots, rows: n, sums: own.row(0), squares: own.row(1), space)
        network.outputs[bound.replacement.isCausal ? 0 : rows.position](h, into: context, count: n, bound.outputMode)
        space.release(to: mark)
    }

    /// Hypotheses begin with what their sources come to.
    private func start(_ rows: StepRows) {
        for (slot, sentence) in zip(rows.slots, rows.sentences) {
            let own = pre.rows(Int(slot)..<Int(slot) + 1), place = sourcePre == nil ? 0 : order.places[Int(sentence)]
            if let sourcePre { own.copy(from: sourcePre.rows(place..<place + 1)) } else { own.fill(0) }
            for kind in 0..<2 { sums[kind, Int(slot)] = sourcePre == nil ? 0 : sourceSums[kind][place] }
        }
    }

    func copy(from: Int, to: Int, positions: Int) {
        pre.rows(to..<to + 1).copy(from: pre.rows(from..<from + 1))
        for kind in 0..<2 { sums[kind, to] = sums[kind, from] }
    }
}
