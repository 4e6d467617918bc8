import CKernels
import Kernels

/// Keys and values of slots, in blocks of 16 positions. A block that is full is never written again, so a hypothesis
/// that branches off shares its parent's full blocks and copies the one that is being filled: a copy costs the same at
/// any length.
struct BlockCache {
    static let positions = 16
    private let heads: Int
    private let headWidth: Int
    /// Floats of a block.
    private let size: Int
    /// Where the c-th blocks of all slots are.
    private var blocks: [UnsafeMutablePointer<Float>?] = []
    /// [slots, stride]: which block among them is a slot's own.
    private var places: [Int32] = []
    private var stride = 0

    init(heads: Int, headWidth: Int) {
        self.heads = heads
        self.headWidth = headWidth
        size = attention_block(heads, headWidth)
    }

    mutating func begin(slots: Int, blocks count: Int) {
        blocks.removeAll(keepingCapacity: true)
        stride = count
        if places.count < slots * count { places = [Int32](repeating: 0, count: slots * count) }
    }

    /// Sixteen more positions for every slot.
    mutating func addBlock(toSlots slots: Int, _ space: Workspace) {
        for slot in 0..<slots { places[slot * stride + blocks.count] = Int32(slot) }
        blocks.append(space.take(slots * size))
    }

    /// All the positions that sentences of known lengths need.
    mutating func addBlocks(lengths: Packed, _ space: Workspace) {
        var total = 0
        for s in 0..<lengths.sentences {
            for block in 0..<(lengths.length(s) + Self.positions - 1) / Self.positions {
                places[s * stride + block] = Int32(total)
                total += 1
            }
        }
        let base = space.take(total * size)
        for _ in 0..<stride { blocks.append(base) }
    }

    private func block(_ slot: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
        blocks[index]! + Int(places[slot * stride + index]) * size
    }

    /// Positions `position` ..< `position + count`, all in one block.
    func write(_ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>, stride: Int, count: Int, slot: Int, position: Int)
    {
        attention_block_write(
            k, v, stride, block(slot, position / Self.positions), position % Self.positions, count, heads, headWidth)
    }

    mutating func copy(from: Int, to: Int, positions: Int) {
        let full = positions / Self.positions, rest = positions % Self.positions
        for index in 0..<full { places[to * stride + index] = places[from * stride + index] }
        if rest > 0 { attention_block_copy(block(from, full), block(to, full), rest, heads, headWidth) }
    }

    /// out = attention of each row's query over the first `lengths[row]` positions of its slot.
    ///
    /// - Parameter keyValue: [rows, 2 d], keys and values of the rows' last positions if they are still to be written
    func attend(
        _ q: Matrix, appending keyValue: Matrix? = nil, slots: [Int32], lengths: [Int32], longest: Int,
        into out: Matrix, _ space: Workspace
    ) {
        require(keyValue == nil || keyValue!.stride == q.stride, "queries, keys and values are columns of one matrix")
        let mark = space.mark, k = keyValue?.base
        attention_step(
            q.base, q.stride, k, k.map { $0 + q.columns }, blocks, places, stride, slots, lengths,
            out.base, out.stride, q.rows, heads, headWidth, space.take(attention_row(longest)))
        space.release(to: mark)
    }
}
