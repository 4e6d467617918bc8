import Kernels

/// Some sentences of a batch, which pass through the model by themselves and leave what gradients of weights need in a
/// `BatchStore`.
final class BatchTile {
    private let store: BatchStore
    private(set) var batch = PairBatch()
    /// Sentence of the whole batch that these begin with, and its rows.
    private(set) var firstSentence = 0
    private var firstRows = [0, 0]
    /// The same among what the store has room for.
    private var storeSentence = 0
    private var storeRows = [0, 0]
    /// Columns, numbers of sentences, products and embeddings that have been left so far.
    private var columns = [0, 0]
    private var sumColumns = 0
    private var (products, lookups, sums) = (0, 0, 0)

    init(_ store: BatchStore) { self.store = store }

    /// - Parameter start: the sentence that the store's rows begin with
    func begin(_ all: PairBatch, _ sentences: Range<Int>, from start: Int) {
        batch.removeAll()
        batch.append(all, sentences)
        firstSentence = sentences.lowerBound
        storeSentence = firstSentence - start
        (firstRows[0], firstRows[1]) = (all.source.offsets[firstSentence], all.target.offsets[firstSentence])
        (storeRows[0], storeRows[1]) = (
            firstRows[0] - all.source.offsets[start], firstRows[1] - all.target.offsets[start]
        )
        (columns[0], columns[1], sumColumns) = (0, 0, 0)
        (products, lookups, sums) = (0, 0, 0)
    }

    /// All that was to be left, is.
    func end() {
        require(
            store.isMeasured
                && (products, lookups, sums) == (store.products.count, store.lookups.count, store.sums.count),
            "a pass left \(products) products, \(lookups) embeddings and \(sums) sums, the first "
                + "\(store.products.count), \(store.lookups.count) and \(store.sums.count)")
    }

    var sentences: Int { batch.source.sentences }
    func firstRow(_ side: PairSide) -> Int { firstRows[side.rawValue] }
    func rows(of sentence: Int, _ side: PairSide) -> Range<Int> {
        side == .source ? batch.source.range(sentence) : batch.target.range(sentence)
    }

    func keep(_ rows: Int, _ count: Int, _ side: PairSide) -> Matrix {
        let start = columns[side.rawValue], first = storeRows[side.rawValue]
        require(rows == (side == .source ? batch.source : batch.target).tokens, "\(rows) rows of \(side) tokens")
        columns[side.rawValue] += count
        return store.rows(side, start, count).rows(first..<first + rows)
    }

    func leaveProduct(_ weight: Slot, _ bias: Slot?, _ rows: Range<Int>, _ x: Matrix, _ dy: Matrix, _ side: PairSide) {
        let x = kept(x, side), dy = kept(dy, side)
        defer { products += 1 }
        guard store.isMeasured else { return store.found(weight, bias, rows, x, dy) }
        let first = products < store.products.count ? store.products[products] : nil
        let isSame = first.map {
            $0.weight == weight && $0.bias == bias && $0.rows == rows && isOwn(x, $0.x) && isOwn(dy, $0.dy)
        }
        require(
            isSame == true,
            "the gradient of \(weight.name), where the first pass left that of \(first?.weight.name ?? "nothing")")
    }

    func leaveEmbedding(_ embedding: Embedding, _ dy: Matrix, _ side: PairSide) {
        let dy = kept(dy, side)
        defer { lookups += 1 }
        guard store.isMeasured else { return store.found(embedding, dy) }
        let first = lookups < store.lookups.count ? store.lookups[lookups] : nil
        let isSame = first.map { $0.embedding.table == embedding.table && isOwn(dy, $0.dy) }
        require(isSame == true, "the gradient of \(embedding.table.name) in the place of another")
    }

    /// Whether a matrix is this tile's rows of a place: every pass leaves the same in the same order.
    private func isOwn(_ x: Matrix, _ place: BatchStore.Place) -> Bool {
        x.columns == place.columns && x.base == store[place].row(storeRows[place.side.rawValue])
    }

    /// Zeros for each of the sentences.
    func leaveSums(_ slot: Slot) -> Matrix {
        require(
            !store.isMeasured || (self.sums < store.sums.count && store.sums[self.sums].slot == slot),
            "sums of \(slot.name) in the place of others")
        let sums = store.sums(slot, sumColumns), own = sums.rows(storeSentence..<storeSentence + sentences)
        sumColumns += sums.stride
        self.sums += 1
        own.fill(0)
        return own
    }

    private func kept(_ x: Matrix, _ side: PairSide) -> Matrix {
        if store.holds(x, side) { return x }
        let copy = keep(x.rows, x.columns, side)
        copy.copy(from: x)
        return copy
    }
}
