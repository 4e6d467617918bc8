import CKernels
import Kernels

/// Encoder self-attention with its weights: LayerNorm(x) -> concatenated heads.
struct EncoderAttention: SentenceMap {
    private let projection: LinearPanels
    private let heads: Int

    init(_ attention: MultiHeadAttention, _ weights: BoundWeights) {
        projection = LinearPanels(attention.projection, weights)
        heads = attention.heads
    }

    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
        let mark = space.mark, width = x.columns, headWidth = width / heads
        let projected = space.matrix(x.rows, 3 * width)
        projection(x, into: projected, space)
        for s in 0..<sentences.sentences where sentences.length(s) > 0 {
            let inner = space.mark, n = sentences.length(s), own = projected.rows(sentences.range(s))
            let weights = space.take(heads * n * attention_row(n)),
                scratch = space.take(attention_scratch(n, n, headWidth))
            attention_forward(
                own.base, own.stride, own.base + width, own.base + 2 * width, own.stride, y.row(sentences.offsets[s]),
                y.stride,
                weights, n, n, heads, headWidth, 0, scratch, Randomness.off.dropout(0, stream: 0), 0)
            space.release(to: inner)
        }
        space.release(to: mark)
    }
}

/// Decoder self-attention with its weights: keys and values of earlier positions are remembered.
final class DecoderAttention: StepAttention {
    fileprivate let projection: LinearPanels
    fileprivate let heads: Int

    init(_ attention: MultiHeadAttention, _ weights: BoundWeights) {
        projection = LinearPanels(attention.projection, weights)
        heads = attention.heads
    }

    func makeState() -> any StepState { DecoderAttentionState(self) }
}

private final class DecoderAttentionState: StepState {
    private let attention: DecoderAttention
    private var cache: BlockCache
    private var space: Workspace?
    private var slots = 0

    init(_ attention: DecoderAttention) {
        self.attention = attention
        cache = BlockCache(heads: attention.heads, headWidth: attention.projection.inputs / attention.heads)
    }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        self.space = space
        self.slots = slots
        let most = TransformerConfiguration.mostTokens
        cache.begin(slots: slots, blocks: (most + BlockCache.positions - 1) / BlockCache.positions)
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        let mark = space.mark, width = x.columns
        let projected = space.matrix(x.rows, 3 * width)
        attention.projection(x, into: projected, space)
        if let space = self.space, rows.position % BlockCache.positions == 0 { cache.addBlock(toSlots: slots, space) }
        cache.attend(
            projected.columns(0..<width), appending: projected.columns(width..<3 * width), slots: rows.slots,
            lengths: rows.lengths,
            longest: rows.position + 1, into: context, space)
        space.release(to: mark)
    }

    func copy(from: Int, to: Int, positions: Int) { cache.copy(from: from, to: to, positions: positions) }
}

/// Cross-attention with its weights: the source's keys and values are computed once a sentence and shared by its
/// hypotheses.
final class CrossAttention: StepAttention {
    fileprivate let query: LinearPanels
    fileprivate let keyValue: LinearPanels
    fileprivate let heads: Int

    init(_ attention: MultiHeadAttention, _ weights: BoundWeights) {
        let width = attention.width
        query = LinearPanels(attention.projection, part: 0..<width, weights)
        keyValue = LinearPanels(attention.projection, part: width..<3 * width, weights)
        heads = attention.heads
    }

    func makeState() -> any StepState { CrossAttentionState(self) }
}

private final class CrossAttentionState: StepState {
    private let attention: CrossAttention
    private var cache: BlockCache
    private var longest = 0

    init(_ attention: CrossAttention) {
        self.attention = attention
        cache = BlockCache(heads: attention.heads, headWidth: attention.query.inputs / attention.heads)
    }

    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {
        longest = 0
        for s in 0..<sources.sentences { longest = max(longest, sources.length(s)) }
        cache.begin(slots: sources.sentences, blocks: (longest + BlockCache.positions - 1) / BlockCache.positions)
        cache.addBlocks(lengths: sources, space)
        let mark = space.mark, width = memory.columns, projected = space.matrix(memory.rows, 2 * width)
        attention.keyValue(memory, into: projected, space)
        for s in 0..<sources.sentences {
            let rows = projected.rows(sources.range(s))
            for start in stride(from: 0, to: rows.rows, by: BlockCache.positions) {
                let k = rows.row(start), count = min(BlockCache.positions, rows.rows - start)
                cache.write(k, k + width, stride: rows.stride, count: count, slot: s, position: start)
            }
        }
        space.release(to: mark)
    }

    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        let mark = space.mark, queries = space.matrix(x.rows, x.columns)
        attention.query(x, into: queries, space)
        cache.attend(
            queries, slots: rows.sentences, lengths: rows.sourceLengths, longest: longest, into: context, space)
        space.release(to: mark)
    }

    func copy(from: Int, to: Int, positions: Int) {}
}
