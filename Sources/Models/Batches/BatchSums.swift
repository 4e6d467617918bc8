import CKernels
import Kernels

/// The gradients of weights, summed over a batch from what its tiles left in the store: each task makes some rows of
/// one weight's by a product over all tokens. Embeddings are dealt by ranges of the vocabulary; gains and shifts are
/// summed over sentences.
final class BatchSums {
    let store = BatchStore()
    /// Of tensors whose networks add to gradient blocks themselves.
    private(set) var blocks: [FloatBlock] = []
    private var all: [Task] = []
    var tasks: Int { all.count }

    /// What one thread adds up at a time.
    private enum Task {
        /// Rows of a product, some columns of them, and rows of the table that shares them.
        case product(Int, rows: Range<Int>, columns: Range<Int>, lookups: [Int])
        /// Rows of a table.
        case lookups([Int], Slot, rows: Range<Int>)
        case sums(Range<Int>)
        /// Numbers of the gradient that are in blocks of the tiles.
        case blocks(Range<Int>)
    }

    // MARK: - Dealing

    /// Numbers of a weight's gradient in one task, about: fewer, where there would not be a task or two for each
    /// thread. Rows of a task are some at least, since products copy what they read for all rows together.
    private struct Size {
        static let mostNumbers = 12288
        let numbers: Int
        let fewestRows: Int

        init(ofAll all: Int, cutsFor threads: Int) {
            numbers = min(Self.mostNumbers, max(Self.mostNumbers / 6, all / (2 * threads)))
            fewestRows = (numbers < Self.mostNumbers ? 4 : 16) * BatchSums.productRows
        }

        /// The columns of a product that a task makes. A small task has few rows, for which it would read a whole wide
        /// operand: it has half of the columns, and twice the rows.
        func columns(_ count: Int) -> [Range<Int>] {
            let units = count >= 128 && numbers < Self.mostNumbers ? 2 : 1,
                cut = EvenCut(count, for: units, unit: product_columns())
            return (0..<cut.count).map { cut[$0] }
        }

        /// Parts of about this size.
        func parts(_ count: Int, columns: Int) -> [Range<Int>] {
            let rows = max(fewestRows, numbers / columns), parts = max(1, (count + rows - 1) / rows)
            let ends = (0...parts).map {
                $0 == parts ? count : count * $0 / parts / BatchSums.productRows * BatchSums.productRows
            }
            return zip(ends, ends.dropFirst()).map { $0..<$1 }
        }
    }

    private static let productRows = product_rows()

    /// The first pass has left all that there is.
    ///
    /// - Parameters:
    ///   - trained: tensors whose gradient is asked for
    ///   - numbers: of the whole gradient
    func complete(_ trained: [Slot], numbers: Int, cutsFor threads: Int) {
        store.complete()
        let size = Size(ofAll: trained.reduce(0) { $0 + $1.count }, cutsFor: threads), left = makeTasks(size)
        // the longest first, so that none is left alone in the end
        all.sort { work($0) > work($1) }
        let ranges = trained.filter { !left.contains($0.offset) }.map(\.range)
        guard !ranges.isEmpty else { return }
        blocks = (0..<2).map { _ in FloatBlock(numbers) }
        for range in ranges {
            for first in stride(from: range.lowerBound, to: range.upperBound, by: size.numbers) {
                all.append(.blocks(first..<min(first + size.numbers, range.upperBound)))
            }
        }
    }

    /// Returns where the tensors begin that they make gradients of.
    private func makeTasks(_ size: Size) -> Set<Int> {
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
            require(own.isEmpty || product.rows == 0..<product.weight.rows, "a table is multiplied by as a whole")
            for columns in own.isEmpty ? size.columns(product.weight.columns) : [0..<product.weight.columns] {
                for rows in size.parts(product.rows.count, columns: columns.count) {
                    all.append(.product(index, rows: rows, columns: columns, lookups: own))
                }
            }
            left.insert(product.weight.offset)
            if let bias = product.bias { left.insert(bias.offset) }
        }
        for indices in tables.values.sorted(by: { $0[0] < $1[0] }) {
            let table = store.lookups[indices[0]].embedding.table
            for rows in size.parts(table.rows, columns: table.columns) {
                all.append(.lookups(indices, table, rows: rows))
            }
        }
        left.formUnion(store.lookups.map(\.embedding.table.offset))
        for first in stride(from: 0, to: store.sums.count, by: 16) {
            all.append(.sums(first..<min(first + 16, store.sums.count)))
        }
        left.formUnion(store.sums.map(\.slot.offset))
        return left
    }

    /// Numbers of a task that are products, which take by far the longest.
    private func work(_ task: Task) -> Int {
        if case .product(_, let rows, let columns, _) = task { rows.count * columns.count } else { 0 }
    }

    // MARK: - Adding

    /// - Parameters:
    ///   - round: sentences of the batch that the store has rows of
    ///   - isFirst: whether the gradient is overwritten
    func add(
        _ task: Int, of batch: PairBatch, _ round: Range<Int>, _ randomness: Randomness, to gradient: FloatBlock,
        isFirst: Bool
    ) {
        switch all[task] {
        case .product(let index, let rows, let columns, let lookups):
            let product = store.products[index], first = product.rows.lowerBound,
                all = first + rows.lowerBound..<first + rows.upperBound
            let side = product.x.side == .source ? batch.source : batch.target,
                tokens = 0..<side.offsets[round.upperBound] - side.offsets[round.lowerBound]
            weightGradient(
                store[product.dy].rows(tokens).columns(rows), store[product.x].rows(tokens).columns(columns),
                into: gradient[product.weight].rows(all).columns(columns),
                bias: columns.lowerBound > 0 ? nil : product.bias.map { gradient.base + $0.offset + all.lowerBound },
                accumulate: !isFirst)
            for lookup in lookups { add(store.lookups[lookup], batch, round, randomness, all, to: gradient) }
        case .lookups(let indices, let table, let rows):
            if isFirst { gradient[table].rows(rows).fill(0) }
            for index in indices { add(store.lookups[index], batch, round, randomness, rows, to: gradient) }
        case .sums(let indices):
            for index in indices {
                let sum = store.sums[index], sums = store[sum], total = gradient.base + sum.slot.offset
                if isFirst { total.update(repeating: 0, count: sum.slot.count) }
                add_column_sums(sums.base, sums.stride, total, round.count, sum.slot.count)
            }
        case .blocks(let range):
            let total = gradient.base + range.lowerBound
            if isFirst { total.update(repeating: 0, count: range.count) }
            for block in blocks {
                add_rows(total, range.count, block.base + range.lowerBound, range.count, 1, range.count)
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
        let dropout = randomness.dropout(embedding.dropout, stream: embedding.stream).from(row: first)
        side.ids.withUnsafeBufferPointer { ids in
            embedding.addGradient(
                ids.baseAddress.map { $0 + first }, store[lookup.dy].rows(0..<count), tokens: tokens,
                into: gradient[embedding.table], dropout)
        }
    }
}
