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
    /// Columns, and numbers of sentences, that have been left so far.
    private var columns = [0, 0]
    private var sumColumns = 0

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
        if !store.isMeasured { store.found(weight, bias, rows, x, dy) }
    }

    func leaveEmbedding(_ embedding: Embedding, _ dy: Matrix, _ side: PairSide) {
        let dy = kept(dy, side)
        if !store.isMeasured { store.found(embedding, dy) }
    }

    /// Zeros for each of the sentences.
    func leaveSums(_ slot: Slot) -> Matrix {
        let sums = store.sums(slot, sumColumns), own = sums.rows(storeSentence..<storeSentence + sentences)
        sumColumns += sums.stride
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
