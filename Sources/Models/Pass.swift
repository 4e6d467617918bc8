import CKernels
import Kernels

/// What one forward (and backward) pass over some sentences works with.
package struct Pass {
    package let weights: FloatBlock
    /// Gradients are added here, if they are not left to the whole batch's (`tile`).
    package let gradients: FloatBlock?
    package let workspace: Workspace
    package let randomness: Randomness
    /// Whether the Transformer's own matrices get gradients too, or only the networks in attentions' places.
    package let trainsTransformer: Bool
    let timer: PhaseTimer?
    /// The weights laid out for products, if somebody has done so.
    private let packed: WeightPanels?
    /// Where the pass is over some of a batch's sentences and leaves gradients of weights to the whole batch's.
    let tile: BatchTile?
    /// Contexts of a teacher that those of the pass are to come near.
    var matched: MatchedContexts?
    /// Whether somebody will ask for attention weights though there is no backward pass.
    var mapsAttention = false
    /// Whose tokens the rows at work are.
    private(set) var side = PairSide.source

    /// - Parameter gradients: what those of weights are added to; of a pass by itself, which is the oracle for those
    ///   that programs make of a whole batch (`BatchGradient`)
    package init(
        weights: FloatBlock, gradients: FloatBlock? = nil, workspace: Workspace, randomness: Randomness = .off,
        trainsTransformer: Bool = true, timer: PhaseTimer? = nil
    ) {
        self.init(
            weights: weights, gradients: gradients, workspace: workspace, randomness: randomness,
            trainsTransformer: trainsTransformer,
            timer: timer, packed: nil, tile: nil)
    }

    init(
        weights: FloatBlock, gradients: FloatBlock?, workspace: Workspace, randomness: Randomness,
        trainsTransformer: Bool, timer: PhaseTimer?,
        packed: WeightPanels?, tile: BatchTile?
    ) {
        self.weights = weights
        self.gradients = gradients
        self.workspace = workspace
        self.randomness = randomness
        self.trainsTransformer = trainsTransformer
        self.timer = timer
        self.packed = packed
        self.tile = tile
    }

    /// The same where rows are tokens of this side.
    func of(_ side: PairSide) -> Pass {
        var pass = self
        pass.side = side
        return pass
    }

    /// What is done from here on counts for `phase`.
    func phase(_ phase: PhaseTimer.Phase) { timer?.enter(phase) }

    var wantsGradient: Bool { gradients != nil || tile != nil }
    /// Or a text of 1,024 tokens would hold 600 MB in six layers and more.
    var keepsAttentionWeights: Bool { wantsGradient || mapsAttention }

    func gradient(_ slot: Slot) -> Matrix { gradientBlock[slot] }

    /// Where gradients are added.
    var gradientBlock: FloatBlock {
        guard let gradients else { fatalError("a backward pass needs a gradient block") }
        return gradients
    }

    /// Of the rows at work.
    func dropout(_ rate: Float, stream: Int) -> dropout_t {
        randomness.dropout(rate, stream: stream).from(row: tile?.firstRow(side) ?? 0)
    }

    /// Element of the random stream at which a sentence's attention weights begin: each has 2^32 for itself.
    func firstWeight(_ sentence: Int) -> UInt64 { UInt64((tile?.firstSentence ?? 0) + sentence) << 32 }
}

// MARK: - Products

extension Pass {
    /// y = x W^T + bias, W the rows `part` of a weight, or all.
    func product(_ x: Matrix, _ weight: Slot, part: Range<Int>? = nil, bias: UnsafePointer<Float>?, into y: Matrix) {
        let mark = workspace.mark
        panels(weight, part: part).product(x, bias: bias, into: y, workspace)
        workspace.release(to: mark)
    }

    /// The weight laid out for products; in the workspace, where nobody has done so before.
    func panels(_ weight: Slot, part: Range<Int>? = nil) -> Panels {
        let all = weights[weight], w = part.map(all.rows) ?? all
        if let packed = packed?.panels(weight, part, transposed: false) { return packed }
        return Panels(w, at: workspace.take(Panels.count(w)))
    }

    /// dx = dy W, or dx += dy W where `accumulate`, W the rows `part` of a weight, or all.
    func backProduct(
        _ dy: Matrix, _ weight: Slot, part: Range<Int>? = nil, into dx: Matrix, accumulate: Bool = false
    ) {
        guard let panels = packed?.panels(weight, part, transposed: true) else {
            let all = weights[weight]
            return gemm(dy, part.map(all.rows) ?? all, into: dx, accumulate: accumulate)
        }
        panels.product(dy, bias: nil, into: dx, workspace, accumulate ? panel_go_on : panel_bias)
    }

    /// dW += dy^T x, and db += column sums of dy, W and b the rows `part` of weight and bias, or all: now, or when the
    /// whole batch's x and dy are there.
    func addProduct(_ weight: Slot, bias: Slot?, part: Range<Int>? = nil, _ x: Matrix, dy: Matrix) {
        let rows = part ?? 0..<weight.rows
        if let tile {
            return tile.leaveProduct(weight, bias, rows, x, dy, side)
        }
        weightGradient(
            dy, x, into: gradient(weight).rows(rows), bias: bias.map { gradient($0).base + rows.lowerBound },
            accumulate: true)
    }

    /// Uninitialised rows for a right or left side of `addProduct`, which last until the whole batch's product is made;
    /// from the workspace where nothing is left to that, or `if` says that it is not needed.
    func keep(_ rows: Int, _ columns: Int, if isNeeded: Bool = true) -> Matrix {
        guard isNeeded, let tile else { return workspace.matrix(rows, columns) }
        return tile.keep(rows, columns, side)
    }
}

// MARK: - Sums

extension Pass {
    /// Where a tensor's gradient is added sentence by sentence.
    struct SentenceSums {
        fileprivate let first: UnsafeMutablePointer<Float>
        /// From one sentence's to the next one's; 0 where all have one.
        fileprivate let stride: Int

        subscript(sentence: Int) -> UnsafeMutablePointer<Float> { first + sentence * stride }
    }

    /// - Parameter isNeeded: if it is not, the sums are of no account
    func sums(_ slot: Slot, if isNeeded: Bool = true) -> SentenceSums {
        guard isNeeded else { return SentenceSums(first: workspace.zeros(1, slot.count).base, stride: 0) }
        guard let tile else { return SentenceSums(first: gradient(slot).base, stride: 0) }
        let sums = tile.leaveSums(slot)
        return SentenceSums(first: sums.base, stride: sums.stride)
    }

    /// Calls `body` with each sentence and its rows, or with all rows for one where sums need not be told apart.
    func forEachSentence(rows: Int, _ body: (_ sentence: Int, _ rows: Range<Int>) -> Void) {
        guard let tile else { return body(0, 0..<rows) }
        for sentence in 0..<tile.sentences { body(sentence, tile.rows(of: sentence, side)) }
    }
}
