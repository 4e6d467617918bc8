import CKernels
import Kernels

/// The source's tokens or the target's.
enum PairSide: Int {
    case source, target
}

/// What the tiles of a batch leave for the gradients of weights: the two sides of every product dy^T x, with a row for
/// each token of the batch, and sums that are taken sentence by sentence. Tiles write their own rows.
///
/// What there is to be left is found by a first pass, over one sentence; later passes leave the same in the same order.
final class BatchStore {
    /// Columns of a side's rows.
    struct Place {
        let side: PairSide
        /// Columns before it.
        let start: Int
        let columns: Int
    }

    /// dW = dy^T x for rows of a weight, and db = column sums of dy.
    struct Product {
        let weight: Slot
        let bias: Slot?
        let rows: Range<Int>
        let x: Place
        let dy: Place
    }

    /// The gradient of an embedding's table, from that of the embedded tokens.
    struct Lookup {
        let embedding: Embedding
        let dy: Place
    }

    /// A tensor whose gradient is a sum over sentences.
    struct Sum {
        let slot: Slot
        /// Numbers before it, of each sentence.
        let start: Int
        /// From one sentence's to the next one's.
        var stride: Int { (slot.count + 15) / 16 * 16 }
    }

    private(set) var products: [Product] = []
    private(set) var lookups: [Lookup] = []
    private(set) var sums: [Sum] = []
    private(set) var isMeasured = false

    private var columns = [0, 0]
    private var sumColumns = 0
    /// Rows that there is room for: those of the batch, rounded up so that every place begins with a cache line.
    private var capacity = [16, 16]
    private var sentences = 1
    private var blocks = [FloatBlock(0), FloatBlock(0)]
    private var sumBlock = FloatBlock(0)
    /// Of the first pass, whose size nobody knew before.
    private var found: [(place: Place, block: FloatBlock)] = []
    private var foundSums: [FloatBlock] = []

    /// The first pass is over.
    func complete() {
        isMeasured = true
        found = []
        foundSums = []
    }

    /// Makes room for a batch. What was there is forgotten.
    func begin(sourceRows: Int, targetRows: Int, sentences: Int) {
        capacity[0] = (sourceRows + 15) / 16 * 16
        capacity[1] = (targetRows + 15) / 16 * 16
        self.sentences = sentences
        for side in 0..<2 { Self.grow(&blocks[side], to: capacity[side] * columns[side]) }
        Self.grow(&sumBlock, to: sentences * sumColumns)
    }

    private static func grow(_ block: inout FloatBlock, to count: Int) {
        guard count > block.count else { return }
        block = FloatBlock(0)  // gone before its successor exists, or the peak is twice as high
        block = FloatBlock(count + count / 8)
    }

    // MARK: - Rows

    /// Columns from `start` on of the batch's rows.
    func rows(_ side: PairSide, _ start: Int, _ columns: Int) -> Matrix {
        let place = Place(side: side, start: start, columns: columns)
        if !isMeasured {
            found.append((place, FloatBlock(capacity[side.rawValue] * columns)))
            self.columns[side.rawValue] = start + columns
            return found.last!.block.matrix(capacity[side.rawValue], columns)
        }
        return self[place]
    }

    subscript(place: Place) -> Matrix {
        let side = place.side.rawValue
        return blocks[side].matrix(capacity[side], place.columns, at: capacity[side] * place.start)
    }

    /// Whether a matrix is rows of a place, all its columns.
    func holds(_ x: Matrix, _ side: PairSide) -> Bool {
        guard x.stride == x.columns else { return false }  // columns of a wider matrix
        guard isMeasured else { return place(of: x) != nil }
        let block = blocks[side.rawValue]
        return block.base <= x.base && x.base < block.base + block.count
    }

    /// Of a matrix of the first pass.
    private func place(of x: Matrix) -> Place? {
        found.first { $0.block.base == x.base && $0.place.columns == x.columns }?.place
    }

    // MARK: - Sentences

    /// [sentences, numbers of the tensor], numbers of each sentence from `start` on.
    func sums(_ slot: Slot, _ start: Int) -> Matrix {
        let sum = Sum(slot: slot, start: start)
        if !isMeasured {
            sums.append(sum)
            sumColumns = start + sum.stride
            foundSums.append(FloatBlock(sum.stride))
            return Matrix(foundSums.last!.base, rows: 1, columns: slot.count, stride: sum.stride)
        }
        return self[sum]
    }

    subscript(sum: Sum) -> Matrix {
        Matrix(sumBlock.base + sentences * sum.start, rows: sentences, columns: sum.slot.count, stride: sum.stride)
    }

    // MARK: - First pass

    func found(_ weight: Slot, _ bias: Slot?, _ rows: Range<Int>, _ x: Matrix, _ dy: Matrix) {
        guard let x = place(of: x), let dy = place(of: dy) else { fatalError("sides of a product that nobody keeps") }
        products.append(Product(weight: weight, bias: bias, rows: rows, x: x, dy: dy))
    }

    func found(_ embedding: Embedding, _ dy: Matrix) {
        guard let dy = place(of: dy) else { fatalError("a gradient that nobody keeps") }
        lookups.append(Lookup(embedding: embedding, dy: dy))
    }
}
