import CKernels
import Kernels

/// Cutting a gradient's norm: g becomes g min(1, bound / |g|) (Pascanu, Mikolov and Bengio 2013).
final class GradientClipping {
    private let chunks: [Range<Int>]
    /// Of each chunk the sum of its numbers' squares.
    var squares: [Double]

    /// - Parameter chunks: of the gradient, a task each, so that no bit depends on the number of threads
    init(_ chunks: [Range<Int>]) {
        self.chunks = chunks
        squares = [Double](repeating: 0, count: chunks.count)
    }

    /// Finds `squares`: of the chunks that are `own`, all if nil; those of the others are 0.
    func measure(_ gradient: FloatBlock, of own: Range<Int>? = nil, _ pool: WorkerPool) {
        let own = own ?? chunks.indices
        squares.withUnsafeMutableBufferPointer { squares in
            squares.update(repeating: 0)
            pool.run(own.count) { task in
                let chunk = chunks[own.lowerBound + task]
                squares[own.lowerBound + task] = sum_of_squares(gradient.base + chunk.lowerBound, chunk.count)
            }
        }
    }

    /// What the gradient is multiplied by, not above 1.
    func factor(_ bound: Float) -> Float {
        let norm = squares.reduce(0, +).squareRoot()
        return norm > Double(bound) ? Float(Double(bound) / norm) : 1
    }

    /// Multiplies `count` numbers of the gradient by `factor`.
    static func scale(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
        guard factor < 1 else { return }
        for i in 0..<count { gradient[i] *= factor }
    }
}
