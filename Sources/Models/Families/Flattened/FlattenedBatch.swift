import CKernels
import Kernels

/// Tokens of one side of a batch in position-major order.
package struct FlattenedSide {
    package let order: PositionMajor
    /// [tokens, d]
    package let x: Matrix

    package init(order: PositionMajor, x: Matrix) {
        self.order = order
        self.x = x
    }
}

/// What a replacement works on: sentences (in the decoder of the target, as far as it is seen) and, for
/// cross-attention, the encoder's output of their sources.
package struct FlattenedBatch {
    package let input: FlattenedSide
    package let memory: FlattenedSide?

    package init(input: FlattenedSide, memory: FlattenedSide? = nil) {
        self.input = input
        self.memory = memory
        require(memory.map { $0.order.sentences == input.order.sentences } ?? true, "as many sources as inputs")
    }

    /// Of the sentence at a place of the input's order, the place in the source's.
    func memoryPlace(_ place: Int, _ memory: FlattenedSide) -> Int { memory.order.places[input.order.order[place]] }
}

/// Mean and 1/sd of what each hidden row sees of the input: one row a sentence, or one a token where prefixes are
/// seen.
struct InputMoments: BitwiseCopyable {
    let mean: UnsafeMutablePointer<Float>
    let rstd: UnsafeMutablePointer<Float>

    init(_ pass: FlattenedTraining, _ batch: FlattenedBatch) {
        let order = batch.input.order, sentences = order.sentences, N = Float(pass.replacement.shape.inputs),
            space = pass.space
        let rows = pass.seesPrefixes ? order.tokens : sentences
        mean = space.take(rows)
        rstd = space.take(rows)
        let mark = space.mark
        let total = space.zeros(2, sentences)
        if let memory = batch.memory {
            let source = space.zeros(2, sentences)
            Self.accumulate(pass, memory, source) { _, _ in }
            for place in 0..<sentences {
                let from = batch.memoryPlace(place, memory)
                total[0, place] = source[0, from]
                total[1, place] = source[1, from]
            }
        }
        let (mean, rstd) = (mean, rstd)
        func finish(_ row: Int, _ place: Int) {
            (mean[row], rstd[row]) = FlattenedReplacement.moments(
                sum: total[0, place], squares: total[1, place], of: N)
        }
        Self.accumulate(pass, batch.input, total) { row, place in
            if pass.seesPrefixes { finish(row, place) }
        }
        if !pass.seesPrefixes { for place in 0..<sentences { finish(place, place) } }
        space.release(to: mark)
    }

    /// Adds each token's sum and sum of squares to its sentence's, position by position.
    private static func accumulate(
        _ pass: FlattenedTraining, _ side: FlattenedSide, _ total: Matrix, _ visit: (_ row: Int, _ place: Int) -> Void
    ) {
        let space = pass.space, mark = space.mark, sums = space.matrix(2, max(side.x.rows, 1))
        pass.forEachRowBlock(of: side.x.rows) { rows in
            let first = rows.lowerBound
            row_moments(side.x.row(first), rows.count, side.x.columns, sums.row(0) + first, sums.row(1) + first)
        }
        for position in 0..<side.order.positions {
            for (place, row) in side.order.rows(position).enumerated() {
                total[0, place] += sums[0, row]
                total[1, place] += sums[1, row]
                visit(row, place)
            }
        }
        space.release(to: mark)
    }
}
