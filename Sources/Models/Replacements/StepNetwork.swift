import CKernels
import Kernels

/// A replacement that gives the decoder's new position its context.
///
/// The first layer sees the prefix as a sum over positions, so a hypothesis is remembered as one running sum of H numbers
/// (and two for mean and variance), whatever its length: a step multiplies one block, branching copies one row. The
/// source's sums are computed once a sentence; every hypothesis of it starts from them.
///
/// The paper's whole-sentence cross network was taught with the whole target in view. Here its future is missing, that is,
/// zero; the outputs of the newest position are used.
final class StepNetwork: StepAttention {
    fileprivate let network: BoundNetwork
    fileprivate let shape: ReplacementShape
    fileprivate let firstTargetBlock: Int

    init(_ replacement: Replacement, _ weights: FloatBlock) {
        shape = replacement.shape
        network = BoundNetwork(replacement.networks[0], shape, weights)
        firstTargetBlock = replacement.firstTargetBlock
    }

    var maximumSource: Int? { shape.attention.readsMemory ? shape.maxTokens : nil }
    var maximumTarget: Int? { shape.maxTokens }
    func makeState() -> any StepState { StepNetworkState(self) }
}

private final class StepNetworkState: StepState {
    private let owner: StepNetwork
    /// By sentence, where the source is read.
    private var source: SentenceSums?
    /// Place of each sentence in `source`.
    private var places: [Int] = []
    /// By slot: products [slots, H], sum and sum of squares of the input.
    private var products: Matrix!
    private var sum: Matrix!
    private var square: Matrix!

    init(_ owner: StepNetwork) { self.owner = owner }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        products = space.matrix(slots, owner.network.hidden)
        sum = space.matrix(1, slots)
        square = space.matrix(1, slots)
        guard owner.shape.attention.readsMemory else { return }
        let order = PositionMajor(sources, limit: owner.shape.maxTokens)
        source = SentenceSums(owner.network, memory, sources, order, space)
        places = [Int](repeating: 0, count: order.sentences)
        for (place, sentence) in order.order.enumerated() { places[sentence] = place }
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        require(rows.position < owner.shape.maxTokens, "position \(rows.position) of \(owner.shape.maxTokens)")
        let mark = space.mark, network = owner.network
        if rows.position == 0 { start(rows) }
        let pre = space.matrix(x.rows, network.hidden), moments = space.matrix(2, x.rows)
        network.first[owner.firstTargetBlock + rows.position](x, into: pre)
        row_moments(x.base, x.rows, x.columns, moments.row(0), moments.row(1))
        for row in 0..<x.rows {
            let slot = Int(rows.slots[row])
            add_rows(products.row(slot), 0, pre.row(row), 0, 1, pre.columns)
            pre.row(row).update(from: products.row(slot), count: pre.columns)
            sum[0, slot] += moments[0, row]
            square[0, slot] += moments[1, row]
            moments[0, row] = sum[0, slot]
            moments[1, row] = square[0, slot]
        }
        let hidden = network.activate(pre, sum: moments.row(0), square: moments.row(1), space)
        network.second[network.second.count == 1 ? 0 : rows.position](hidden, into: context)
        space.release(to: mark)
    }

    /// Hypotheses without a token: nothing, or the source.
    private func start(_ rows: StepRows) {
        for (slot, sentence) in zip(rows.slots, rows.sentences) {
            let slot = Int(slot)
            guard let source else {
                products.row(slot).update(repeating: 0, count: products.columns)
                sum[0, slot] = 0
                square[0, slot] = 0
                continue
            }
            let place = places[Int(sentence)]
            products.row(slot).update(from: source.products.row(place), count: products.columns)
            sum[0, slot] = source.sum[place]
            square[0, slot] = source.square[place]
        }
    }

    func copy(from: Int, to: Int, positions: Int) {
        products.row(to).update(from: products.row(from), count: products.columns)
        sum[0, to] = sum[0, from]
        square[0, to] = square[0, from]
    }
}
