import CKernels
import Kernels
import Tensors

/// The loss of a batch and its gradient, on any number of threads.
///
///     1. Tiles of sentences pass forward and backward through the model, each by itself, with weights that were laid
///        out for products once. They leave the two sides of every weight's gradient dy^T x, a row for each token of
///        the batch.
///     2. Each block of rows of each weight's gradient is one product over all tokens. Embeddings are dealt by ranges
///        of the vocabulary; gains and shifts are summed over sentences.
///
/// A token's row depends on its sentence alone and sums run over the batch in its order, so that no bit of the gradient
/// or of the loss depends on the number of threads or on how tiles are cut. Networks that add to `Pass.gradients`
/// themselves, which the first pass finds out, have a block for each of two tiles, the most threads that can work on
/// them; the tiles, and one round for all sentences, depend on the batch alone.
package final class BatchGradient {
    /// How a batch is cut. It changes no bit, but `roundTokens` does.
    package struct Cut: Sendable {
        /// Target tokens of a tile, about; nil: as suits the threads.
        package var tileTokens: Int?
        /// Target tokens of a round, at most, but for one sentence: of a larger batch one part is finished before the
        /// next.
        package var roundTokens = 2048

        package init() {}
    }

    private let model: Transformer
    private let weights: FloatBlock
    private let pool: WorkerPool
    private let cut: Cut
    private let trainsTransformer: Bool
    private let matching: ContextMatching?
    private let packed = WeightPanels()
    private let store = BatchStore()
    private let states: [ThreadState]
    private var tasks: [SumTask] = []
    /// Of tensors whose networks add to gradient blocks themselves.
    private var blocks: [FloatBlock] = []
    private var tiles: [Range<Int>] = []
    private var tileSums: [LossSums] = []
    /// The weights have changed since they were packed.
    private var isStale = true

    /// What a thread needs for the tile at work.
    private final class ThreadState {
        let workspace = Workspace()
        let trace = TransformerTrace()
        let teacherTrace = TransformerTrace()
        let tile: BatchTile
        var timer: PhaseTimer?

        init(_ store: BatchStore) { tile = BatchTile(store) }
    }

    /// - Parameters:
    ///   - trained: tensors whose gradient is asked for
    ///   - matching: adds to the loss of `run`
    package init(
        _ model: Transformer, weights: FloatBlock, trained: [Slot], trainsTransformer: Bool = true, cut: Cut = Cut(),
        matching: ContextMatching? = nil, pool: WorkerPool
    ) {
        self.model = model
        self.weights = weights
        self.pool = pool
        self.cut = cut
        self.trainsTransformer = trainsTransformer
        self.matching = matching
        let store = store
        states = (0..<pool.threads).map { _ in ThreadState(store) }
        measure(trained)
    }

    /// The most threads that can differentiate a batch; nil where there is no such number.
    package var mostThreads: Int? { blocks.isEmpty ? nil : blocks.count }

    /// To be called whenever the weights have changed.
    package func weightsHaveChanged() { isStale = true }

    /// Thread-seconds by phase, from when it was switched on.
    package var timers: [PhaseTimer] { states.compactMap(\.timer) }
    package func switchOnPhaseTimers() { for state in states { state.timer = PhaseTimer() } }

    // MARK: - Loss

    /// The summed loss of all sentences, forward only.
    package func loss(_ batch: PairBatch, smoothing: Float) -> LossSums {
        pack()
        deal(batch, 0..<batch.source.sentences, tiles: nil)
        runTiles { tile, state in
            state.tile.begin(batch, tiles[tile], from: 0)
            let pass = Pass(
                weights: weights, gradients: nil, workspace: state.workspace, randomness: .off,
                trainsTransformer: trainsTransformer,
                timer: state.timer, packed: packed, tile: nil)
            return model.loss(state.tile.batch, smoothing: smoothing, gradientScale: 0, trace: state.trace, pass)
        }
        return tileSums.reduce(LossSums(), +)
    }

    /// The summed loss of some sentences, or all, whose gradient times `scale` becomes that of the trained tensors.
    package func run(
        _ batch: PairBatch, sentences: Range<Int>? = nil, smoothing: Float, scale: Float, randomness: Randomness,
        into gradient: FloatBlock
    ) -> LossSums {
        pack()
        let sentences = sentences ?? 0..<batch.source.sentences
        var sums = LossSums(), start = sentences.lowerBound
        repeat {
            let round = start..<roundEnd(batch, start, sentences.upperBound)
            deal(batch, round, tiles: blocks.isEmpty ? nil : blocks.count)
            store.begin(
                sourceRows: batch.source.offsets[round.upperBound] - batch.source.offsets[start],
                targetRows: batch.target.offsets[round.upperBound] - batch.target.offsets[start], sentences: round.count
            )
            runTiles { tile, state in
                state.tile.begin(batch, tiles[tile], from: start)
                var pass = Pass(
                    weights: weights, gradients: blocks.isEmpty ? nil : blocks[tile], workspace: state.workspace,
                    randomness: randomness,
                    trainsTransformer: trainsTransformer, timer: state.timer, packed: packed, tile: state.tile)
                pass.matched = matching?.contexts(
                    of: state.tile.batch, gradientScale: scale, state.teacherTrace, state.workspace, timer: state.timer)
                var sums = model.loss(
                    state.tile.batch, smoothing: smoothing, gradientScale: scale, trace: state.trace, pass)
                sums.loss += pass.matched?.loss ?? 0
                return sums
            }
            let isFirst = start == sentences.lowerBound
            pool.run(tasks.count) { task, worker in
                states[worker].timer?.enter(.products)
                add(tasks[task], batch, round, randomness, to: gradient, isFirst: isFirst)
                states[worker].timer?.leave()
            }
            sums = tileSums.reduce(sums, +)
            start = round.upperBound
        } while start < sentences.upperBound
        return sums
    }

    private func pack() {
        if isStale { packed.pack(weights, pool) }
        isStale = false
    }

    private func runTiles(_ body: (_ tile: Int, ThreadState) -> LossSums) {
        tileSums.withUnsafeMutableBufferPointer { sums in
            pool.run(tiles.count) { tile, worker in
                let state = states[worker]
                state.workspace.reset()
                sums[tile] = body(tile, state)
                state.timer?.leave()
            }
        }
    }

    // MARK: - Cutting

    /// A target token costs about twice a source token: two attentions and the output layer.
    private static func work(_ batch: PairBatch, _ sentences: Range<Int>) -> Int {
        let (source, target) = (batch.source.offsets, batch.target.offsets)
        return source[sentences.upperBound] - source[sentences.lowerBound] + 2
            * (target[sentences.upperBound] - target[sentences.lowerBound])
    }

    private func roundEnd(_ batch: PairBatch, _ start: Int, _ end: Int) -> Int {
        guard blocks.isEmpty else { return end }
        let first = batch.target.offsets[start]
        var next = min(start + 1, end)
        while next < end, batch.target.offsets[next + 1] - first <= cut.roundTokens { next += 1 }
        return next
    }

    /// Tiles for so much work, of which a target token and its source token are 3: as many for each thread as are large
    /// enough for products to run at speed; where even one is not, for fewer threads.
    private func tileCount(_ work: Int) -> Int {
        let tokens = work / 3
        if let size = cut.tileTokens { return max(1, (tokens + size / 2) / size) }
        let each = max(1, (tokens + Self.tileTokens * pool.cutsFor / 2) / (Self.tileTokens * pool.cutsFor))
        return max(1, min(each * pool.cutsFor, tokens / Self.fewestTokens))
    }

    /// Target tokens of a tile, about, and at least.
    private static let tileTokens = 160
    private static let fewestTokens = 40

    /// Tiles of about the same work; nil: as many as suit the threads.
    private func deal(_ batch: PairBatch, _ sentences: Range<Int>, tiles fixed: Int?) {
        let all = Self.work(batch, sentences), count = fixed ?? tileCount(all)
        tiles.removeAll(keepingCapacity: true)
        tileSums.removeAll(keepingCapacity: true)
        var start = sentences.lowerBound
        for tile in 1...count where start < sentences.upperBound {
            var end = start + 1
            while end < sentences.upperBound, Self.work(batch, sentences.lowerBound..<end) * count < all * tile {
                end += 1
            }
            if tile == count { end = sentences.upperBound }
            tiles.append(start..<end)
            tileSums.append(LossSums())
            start = end
        }
    }

    // MARK: - Gradients

    /// What one thread adds up at a time.
    private enum SumTask {
        /// Rows of a product, and of the table that shares them.
        case product(Int, rows: Range<Int>, lookups: [Int])
        /// Rows of a table.
        case lookups([Int], Slot, rows: Range<Int>)
        case sums(Range<Int>)
        /// Numbers of the gradient that are in blocks of the tiles.
        case blocks(Range<Int>)
    }

    /// Numbers of a weight's gradient in one task, about.
    private static let taskNumbers = 12288
    /// Rows of a task, about, where columns are many.
    private static let fewestTaskRows = 96

    /// Parts of about the same size.
    private static func taskRows(_ count: Int, columns: Int) -> [Range<Int>] {
        let rows = max(fewestTaskRows, taskNumbers / columns), parts = max(1, (count + rows - 1) / rows)
        let ends = (0...parts).map { $0 == parts ? count : count * $0 / parts / productRows * productRows }
        return zip(ends, ends.dropFirst()).map { $0..<$1 }
    }

    private static let productRows = product_rows()

    /// Finds what there is to be left, by a pass over one sentence, and deals it.
    private func measure(_ trained: [Slot]) {
        var pair = PairBatch()
        pair.append(source: [SpecialToken.end], target: [])
        let state = states[0], unused = FloatBlock(model.layout.count)
        state.tile.begin(pair, 0..<1, from: 0)
        let pass = Pass(
            weights: weights, gradients: unused, workspace: state.workspace, randomness: .off,
            trainsTransformer: trainsTransformer, timer: nil,
            packed: packed, tile: state.tile)
        _ = model.loss(state.tile.batch, smoothing: 0, gradientScale: 1, trace: state.trace, pass)
        store.complete()
        packed.complete()
        let left = makeTasks()
        let ranges = trained.filter { !left.contains($0.offset) }.map(\.range)
        guard !ranges.isEmpty else { return }
        blocks = (0..<2).map { _ in FloatBlock(model.layout.count) }
        for range in ranges {
            for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.taskNumbers) {
                tasks.append(.blocks(first..<min(first + Self.taskNumbers, range.upperBound)))
            }
        }
    }

    /// Returns where the tensors begin that they make gradients of.
    private func makeTasks() -> Set<Int> {
        var left = Set<Int>(), tables: [Int: [Int]] = [:]
        for (index, lookup) in store.lookups.enumerated() {
            tables[lookup.embedding.table.offset, default: []].append(index)
        }
        for (index, product) in store.products.enumerated() {
            require(
                !store.products[..<index].contains {
                    $0.weight.offset == product.weight.offset && $0.rows.overlaps(product.rows)
                }, "two products make the gradient of the same rows")
            let own = tables.removeValue(forKey: product.weight.offset) ?? []
            for rows in Self.taskRows(product.rows.count, columns: product.weight.columns) {
                tasks.append(.product(index, rows: rows, lookups: own))
            }
            left.insert(product.weight.offset)
            if let bias = product.bias { left.insert(bias.offset) }
        }
        for indices in tables.values.sorted(by: { $0[0] < $1[0] }) {
            let table = store.lookups[indices[0]].embedding.table
            for rows in Self.taskRows(table.rows, columns: table.columns) {
                tasks.append(.lookups(indices, table, rows: rows))
            }
        }
        left.formUnion(store.lookups.map(\.embedding.table.offset))
        for first in stride(from: 0, to: store.sums.count, by: 16) {
            tasks.append(.sums(first..<min(first + 16, store.sums.count)))
        }
        left.formUnion(store.sums.map(\.slot.offset))
        return left
    }

    /// - Parameter isFirst: whether the gradient is overwritten
    private func add(
        _ task: SumTask, _ batch: PairBatch, _ round: Range<Int>, _ randomness: Randomness, to gradient: FloatBlock,
        isFirst: Bool
    ) {
        switch task {
        case .product(let index, let rows, let lookups):
            let product = store.products[index], first = product.rows.lowerBound,
                all = first + rows.lowerBound..<first + rows.upperBound
            let side = product.x.side == .source ? batch.source : batch.target,
                tokens = 0..<side.offsets[round.upperBound] - side.offsets[round.lowerBound]
            weightGradient(
                store[product.dy].rows(tokens).columns(rows), store[product.x].rows(tokens),
                into: gradient[product.weight].rows(all),
                bias: product.bias.map { gradient.base + $0.offset + all.lowerBound }, accumulate: !isFirst)
            for lookup in lookups { add(store.lookups[lookup], batch, round, randomness, all, to: gradient) }
        case .lookups(let indices, let table, let rows):
            if isFirst { gradient[table].rows(rows).fill(0) }
            for index in indices { add(store.lookups[index], batch, round, randomness, rows, to: gradient) }
        case .sums(let indices):
            for index in indices {
                let sum = store.sums[index], sums = store[sum], total = gradient.base + sum.slot.offset
                if isFirst { total.update(repeating: 0, count: sum.slot.count) }
                add_bias_backward(sums.base, sums.stride, total, round.count, sum.slot.count)
            }
        case .blocks(let range):
            let total = gradient.base + range.lowerBound
            if isFirst { total.update(repeating: 0, count: range.count) }
            for block in blocks {
                add_bias_backward(block.base + range.lowerBound, range.count, total, 1, range.count)
                (block.base + range.lowerBound).update(repeating: 0, count: range.count)
            }
        }
    }

    private func add(
        _ lookup: BatchStore.Lookup, _ batch: PairBatch, _ round: Range<Int>, _ randomness: Randomness,
        _ tokens: Range<Int>, to gradient: FloatBlock
    ) {
        let embedding = lookup.embedding, side = lookup.dy.side == .source ? batch.source : batch.target
        let first = side.offsets[round.lowerBound], count = side.offsets[round.upperBound] - first
        var dropout = randomness.dropout(embedding.dropout, stream: embedding.stream)
        dropout.row = UInt64(first)
        side.ids.withUnsafeBufferPointer { ids in
            embedding.addGradient(
                ids.baseAddress.map { $0 + first }, store[lookup.dy].rows(0..<count), tokens: tokens,
                into: gradient[embedding.table], dropout)
        }
    }
}
