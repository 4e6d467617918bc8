import CKernels
import Foundation
import Kernels

/// y_i = dropout(sqrt(d) E[id_i] + P[position_i]), P sinusoidal (Vaswani et al. 2017, section 3.5).
struct Embedding {
    let table: Slot
    let dropout: Float
    let stream: Int

    private var scale: Float { Float(table.columns).squareRoot() }

    func forward(_ packed: Packed, positions: SinusoidalPositions, _ pass: Pass) -> Matrix {
        forward(packed.ids, packed.positions, positions: positions, pass)
    }

    func forward(_ ids: [Int32], _ places: [Int32], positions: SinusoidalPositions, _ pass: Pass) -> Matrix {
        pass.phase(.embedding)
        require(
            places.allSatisfy { $0 < TransformerConfiguration.mostTokens },
            "a position beyond \(TransformerConfiguration.mostTokens)")
        let y = pass.workspace.matrix(ids.count, table.columns)
        embedding_forward(
            pass.weights[table].base, ids, positions.table.base, places, scale, y.base, y.rows, y.columns,
            pass.dropout(dropout, stream: stream))
        return y
    }

    func backward(_ packed: Packed, dy: Matrix, _ pass: Pass) {
        guard pass.trainsTransformer else { return }
        pass.phase(.embedding)
        if let tile = pass.tile { return tile.leaveEmbedding(self, dy, pass.side) }
        packed.ids.withUnsafeBufferPointer {
            addGradient(
                $0.baseAddress, dy, tokens: 0..<table.rows, into: pass.gradient(table),
                pass.dropout(dropout, stream: stream))
        }
    }

    /// Of the table's rows `tokens`.
    func addGradient(
        _ ids: UnsafePointer<Int32>?, _ dy: Matrix, tokens: Range<Int>, into gradient: Matrix, _ dropout: dropout_t
    ) {
        embedding_backward(
            gradient.base, ids, dy.base, scale, tokens.lowerBound, tokens.upperBound, dy.rows, dy.columns, dropout)
    }
}

/// P[p, 2i] = sin(p / 10000^(2i/d)), P[p, 2i+1] = cos of the same.
final class SinusoidalPositions {
    let table: FloatBlock

    init(width: Int) {
        let count = TransformerConfiguration.mostTokens
        table = FloatBlock(count * width)
        let matrix = table.matrix(count, width)
        for i in 0..<width / 2 {
            let frequency = pow(10000, -Double(2 * i) / Double(width))
            for p in 0..<count {
                matrix[p, 2 * i] = Float(sin(Double(p) * frequency))
                matrix[p, 2 * i + 1] = Float(cos(Double(p) * frequency))
            }
        }
    }
}
