import CKernels
import Kernels

/// softmax(Q K^T / sqrt(head)) V for each head, concatenated (Vaswani et al. 2017, eq. 1), before the output
/// projection.
///
/// Q, K and V are one matrix [3 d, d]. Self-attention projects its input once by all of it; cross-attention projects
/// the target by its first third and the source by the rest.
struct MultiHeadAttention: ContextNetwork {
    let projection: Linear
    let width: Int
    let heads: Int
    let attention: Attention
    let dropout: Float
    let stream: Int

    init(
        _ configuration: TransformerConfiguration, _ attention: Attention, stream: Int, _ layout: inout ParameterLayout
    ) {
        width = configuration.width
        heads = configuration.heads
        self.attention = attention
        dropout = configuration.attentionDropout
        self.stream = stream
        projection = Linear("projection", in: width, out: 3 * width, fanOut: width, &layout)
    }

    var headWidth: Int { width / heads }
    private var queryPart: Range<Int> { 0..<width }
    private var memoryPart: Range<Int> { width..<3 * width }

    /// - projected: [queries, 3 d] of self-attention, [queries, d] of cross-attention
    /// - memory: [keys, 2 d] of cross-attention
    /// - weights: of all sentences, where the pass keeps them
    private struct Kept: BitwiseCopyable {
        let projected: Matrix
        let memory: Matrix?
        let weights: UnsafeMutablePointer<Float>?
    }

    var bounds: (source: Int?, target: Int?) { (nil, nil) }
    var readsSet: Bool { true }

    func forward(_ x: Matrix, _ queries: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
        let space = pass.workspace
        let projected = space.matrix(x.rows, memory == nil ? 3 * width : width)
        let part = memory == nil ? nil : queryPart
        projection.forward(x, part: part, bias: true, into: projected, pass)
        var memoryProjected: Matrix?
        if let memory {
            let matrix = space.matrix(memory.x.rows, 2 * width)
            projection.forward(memory.x, part: memoryPart, bias: true, into: matrix, pass)
            memoryProjected = matrix
        }
        let keys = memory?.sentences ?? queries
        let kept = pass.keepsAttentionWeights ? space.take(weightCounts(queries, keys).reduce(0, +)) : nil
        let tape = Kept(projected: projected, memory: memoryProjected, weights: kept)
        let context = pass.keep(x.rows, width, if: pass.trainsTransformer),
            result = ContextTape(x: x, context: context, keeping: tape, space)
        let mark = space.mark
        pass.phase(.attention)
        let scratch = space.take(scratchCount(queries, keys))
        var weights = kept ?? space.take(weightCounts(queries, keys).max() ?? 0)
        let dropout = pass.dropout(dropout, stream: stream)
        for s in 0..<queries.sentences where queries.length(s) > 0 {
            let n = queries.length(s), m = keys.length(s)
            let (q, k, v) = views(tape, queries.range(s), keys.range(s))
            attention_forward(
                q.base, q.stride, k.base, v.base, k.stride, context.row(queries.offsets[s]), width,
                weights, n, m, heads, headWidth, attention == .decoder ? 1 : 0, scratch, dropout, pass.firstWeight(s))
            if kept != nil { weights += heads * n * attention_row(m) }
        }
        space.release(to: mark)
        return result
    }

    func backward(
        _ result: ContextTape, _ queries: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass
    ) {
        let space = pass.workspace, mark = space.mark, tape = result.kept(Kept.self)
        defer { space.release(to: mark) }
        let keys = memory?.sentences ?? queries
        let reading = pass.of(.source), trains = pass.trainsTransformer
        let dprojected = pass.keep(tape.projected.rows, tape.projected.columns, if: trains)
        let dmemoryProjected = tape.memory.map { reading.keep($0.rows, $0.columns, if: trains) }
        let gradients = Kept(projected: dprojected, memory: dmemoryProjected, weights: tape.weights)
        pass.phase(.attention)
        let scratch = space.take(scratchCount(queries, keys))
        let dropout = pass.dropout(dropout, stream: stream)
        var weights = tape.weights!
        for s in 0..<queries.sentences {
            let n = queries.length(s), m = keys.length(s)
            let (q, k, v) = views(tape, queries.range(s), keys.range(s))
            let (dq, dk, dv) = views(gradients, queries.range(s), keys.range(s))
            guard n > 0 else {
                for gradient in [dk, dv] { gradient.fill(0) }  // nobody asks
                continue
            }
            attention_backward(
                q.base, q.stride, k.base, v.base, k.stride, dcontext.row(queries.offsets[s]), width,
                weights, n, m, heads, headWidth, dq.base, dk.base, dv.base, scratch, dropout)
            weights += heads * n * attention_row(m)
        }
        let part = memory == nil ? nil : queryPart
        projection.backward(result.x, part: part, dy: dprojected, dx: dx, pass)
        if let memory, let dmemoryProjected {
            projection.backward(
                memory.x, part: memoryPart, dy: dmemoryProjected, dx: dmemory, accumulate: true, reading)
        }
    }

    /// Weights of a forward pass over one sentence that has kept them, mean over heads.
    func weights(_ result: ContextTape, keys: Int) -> PlaceMap {
        let weights = result.kept(Kept.self).weights!, row = attention_row(keys)
        var map = PlaceMap(outputs: result.context.rows, read: keys)
        for head in 0..<heads {
            for query in 0..<map.outputs {
                let own = weights + (head * map.outputs + query) * row
                for key in 0..<keys { map[query, key] += own[key] / Float(heads) }
            }
        }
        return map
    }

    func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext {
        switch attention {
        case .encoder: .sentences(EncoderAttention(self, weights))
        case .decoder: .steps(DecoderAttention(self, weights))
        case .cross, .crossfull: .steps(CrossAttention(self, weights))
        }
    }

    /// Queries, keys and values of one sentence inside the projected matrices.
    private func views(_ tape: Kept, _ queries: Range<Int>, _ keys: Range<Int>) -> (Matrix, Matrix, Matrix) {
        let q = tape.projected.rows(queries).columns(0..<width)
        if let memory = tape.memory?.rows(keys) {
            return (q, memory.columns(0..<width), memory.columns(width..<2 * width))
        }
        let own = tape.projected.rows(keys)
        return (q, own.columns(width..<2 * width), own.columns(2 * width..<3 * width))
    }

    /// Of each sentence.
    private func weightCounts(_ queries: Packed, _ keys: Packed) -> some Sequence<Int> {
        (0..<queries.sentences).lazy.map { heads * queries.length($0) * attention_row(keys.length($0)) }
    }

    private func scratchCount(_ queries: Packed, _ keys: Packed) -> Int {
        var count = 0
        for s in 0..<queries.sentences {
            count = max(count, attention_scratch(queries.length(s), keys.length(s), headWidth))
        }
        return count
    }
}
