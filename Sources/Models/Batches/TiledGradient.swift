import Kernels
import Tensors

/// Gradients of a batch of sentences, on any number of threads.
///
///     1. Tiles of sentences pass forward and backward, each by itself, with weights that were laid out for products
///        once. They leave the two sides of every weight's gradient dy^T x, a row for each token of the batch.
///     2. Each block of rows of each weight's gradient is one product over all tokens, see `BatchSums`.
///
/// A token's row depends on its sentence alone and sums run over the batch in its order, so that no bit of the gradient
/// depends on the number of threads or on how tiles are cut. Networks that add to `Pass.gradients` themselves, which
/// the first pass finds out, have a block for each of two tiles, the most threads that can work on them; the tiles, and
/// one round for all sentences, depend on the batch alone.
final class TiledGradient {
    private let weights: FloatBlock
    private let pool: WorkerPool
    private let cut: BatchCut
    private let trainsTransformer: Bool
    private let packed = WeightPanels()
    private let sums = BatchSums()
    private let states: [ThreadState]
    private var tiles: [Range<Int>] = []
    /// The weights have changed since they were packed.
    private var isStale = true

    /// What a thread needs for the tile at work.
    private final class ThreadState {
        let workspace = Workspace()
        let tile: BatchTile
        var timer: PhaseTimer?

        init(_ store: BatchStore) { tile = BatchTile(store) }
    }

    /// A tile at work.
    struct Work {
        let pass: Pass
        let tile: BatchTile
        /// The tile's, among the batch's.
        let sentences: Range<Int>
        /// Which of the threads works, from 0 on.
        let worker: Int
    }

    init(_ weights: FloatBlock, cut: BatchCut = BatchCut(), trainsTransformer: Bool = true, pool: WorkerPool) {
        self.weights = weights
        self.cut = cut
        self.trainsTransformer = trainsTransformer
        self.pool = pool
        let store = sums.store
        states = (0..<pool.threads).map { _ in ThreadState(store) }
    }

    /// The most threads that can differentiate a batch; nil where there is no such number.
    var mostThreads: Int? { sums.blocks.isEmpty ? nil : sums.blocks.count }

    /// To be called whenever the weights have changed.
    func weightsHaveChanged() { isStale = true }

    /// Thread-seconds by phase, from when it was switched on.
    var timers: [PhaseTimer] { states.compactMap(\.timer) }
    func switchOnPhaseTimers() { for state in states { state.timer = PhaseTimer() } }

    // MARK: - Passes

    /// Finds out what is left by a pass forward and backward, which `body` makes over one small batch.
    ///
    /// - Parameter trained: tensors whose gradient is asked for
    func measure(_ batch: PairBatch, _ trained: [Slot], _ body: (Work) -> Void) {
        let all = 0..<batch.source.sentences, unused = FloatBlock(weights.count)
        states[0].tile.begin(batch, all, from: 0)
        body(work(all, worker: 0, gradients: unused, randomness: .off, isForwardOnly: false))
        packed.complete()
        sums.complete(trained, numbers: weights.count, cutsFor: pool.cutsFor)
    }

    /// Forward passes over all sentences.
    func forward(_ batch: PairBatch, _ body: (Work) -> Void) {
        pack()
        // wide networks read all of their weights for each tile
        deal(batch, 0..<batch.source.sentences, tiles: sums.blocks.isEmpty ? nil : pool.cutsFor)
        pool.run(tiles.count) { tile, worker in
            states[worker].tile.begin(batch, tiles[tile], from: 0)
            run(work(tiles[tile], worker: worker, gradients: nil, randomness: .off, isForwardOnly: true), body)
        }
    }

    /// The gradient of some sentences, which `body` leaves by passes over tiles of them, becomes that of the trained
    /// tensors.
    func run(
        _ batch: PairBatch, _ sentences: Range<Int>, randomness: Randomness, into gradient: FloatBlock,
        _ body: (Work) -> Void
    ) {
        pack()
        var start = sentences.lowerBound
        repeat {
            let round = start..<roundEnd(batch, start, sentences.upperBound), isFirst = start == sentences.lowerBound
            deal(batch, round, tiles: mostThreads)
            sums.store.begin(
                sourceRows: batch.source.offsets[round.upperBound] - batch.source.offsets[start],
                targetRows: batch.target.offsets[round.upperBound] - batch.target.offsets[start], sentences: round.count
            )
            pool.run(tiles.count) { tile, worker in
                states[worker].tile.begin(batch, tiles[tile], from: start)
                let block = sums.blocks.isEmpty ? nil : sums.blocks[tile]
                run(
                    work(tiles[tile], worker: worker, gradients: block, randomness: randomness, isForwardOnly: false),
                    body)
                states[worker].tile.end()
            }
            pool.run(sums.tasks) { task, worker in
                states[worker].timer?.enter(.products)
                sums.add(task, of: batch, round, randomness, to: gradient, isFirst: isFirst)
                states[worker].timer?.leave()
            }
            start = round.upperBound
        } while start < sentences.upperBound
    }

    private func pack() {
        if isStale { packed.pack(weights, pool) }
        isStale = false
    }

    private func work(
        _ sentences: Range<Int>, worker: Int, gradients: FloatBlock?, randomness: Randomness, isForwardOnly: Bool
    ) -> Work {
        let state = states[worker]
        let pass = Pass(
            weights: weights, gradients: gradients, workspace: state.workspace, randomness: randomness,
            trainsTransformer: trainsTransformer, timer: state.timer, packed: packed,
            tile: isForwardOnly ? nil : state.tile)
        return Work(pass: pass, tile: state.tile, sentences: sentences, worker: worker)
    }

    private func run(_ work: Work, _ body: (Work) -> Void) {
        let state = states[work.worker]
        state.workspace.reset()
        body(work)
        state.timer?.leave()
    }

    // MARK: - Cutting

    /// A target token costs about twice a source token: two attentions and the output layer.
    private static func cost(_ batch: PairBatch, _ sentences: Range<Int>) -> Int {
        let (source, target) = (batch.source.offsets, batch.target.offsets)
        return source[sentences.upperBound] - source[sentences.lowerBound] + 2
            * (target[sentences.upperBound] - target[sentences.lowerBound])
    }

    private func roundEnd(_ batch: PairBatch, _ start: Int, _ end: Int) -> Int {
        guard sums.blocks.isEmpty else { return end }
        // of about the same size: a small last one would have too few tiles for many threads
        let offsets = batch.target.offsets, left = offsets[end] - offsets[start],
            size = left / max(1, (left + cut.roundTokens - 1) / cut.roundTokens)
        var next = min(start + 1, end)
        while next < end, offsets[next] - offsets[start] < size { next += 1 }
        return next
    }

    /// Tiles for this cost, of which a target token and its source token are 3: as many for each thread as are large
    /// enough for products to run at speed; where even one is not, for fewer threads.
    private func tileCount(_ cost: Int) -> Int {
        let tokens = cost / 3
        if let size = cut.tileTokens { return max(1, (tokens + size / 2) / size) }
        let each = max(1, (tokens + Self.tileTokens * pool.cutsFor / 2) / (Self.tileTokens * pool.cutsFor))
        return max(1, min(each * pool.cutsFor, tokens / Self.fewestTokens))
    }

    /// Target tokens of a tile, about, and at least.
    private static let tileTokens = 160
    private static let fewestTokens = 40

    /// Tiles of about the same cost; nil: as many as suit the threads.
    private func deal(_ batch: PairBatch, _ sentences: Range<Int>, tiles fixed: Int?) {
        let all = Self.cost(batch, sentences), count = fixed ?? tileCount(all)
        tiles.removeAll(keepingCapacity: true)
        var start = sentences.lowerBound
        for tile in 1...count where start < sentences.upperBound {
            var end = start + 1
            while end < sentences.upperBound, Self.cost(batch, sentences.lowerBound..<end) * count < all * tile {
                end += 1
            }
            if tile == count { end = sentences.upperBound }
            tiles.append(start..<end)
            start = end
        }
    }
}

/// How a batch is cut. It changes no bit, but `roundTokens` does.
package struct BatchCut: Sendable {
    /// Target tokens of a tile, about; nil: as suits the threads.
    package var tileTokens: Int?
    /// Target tokens of a round, at most and the rest of a sentence: of a larger batch one part is finished before the
    /// next.
    package var roundTokens = 2048

    package init() {}
}
