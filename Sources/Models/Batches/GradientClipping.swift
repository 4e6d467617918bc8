import CKernels
import Kernels

/// Cutting a gradient's norm: g becomes g min(1, bound / |g|) (Pascanu, Mikolov and Bengio 2013).
package struct GradientClipping {
    private let chunks: [Range<Int>]

    /// - Parameter chunks: of the gradient, a task each, so that no bit depends on the number of threads
    package init(_ chunks: [Range<Int>]) { self.chunks = chunks }

    /// Of each chunk the sum of its numbers' squares; 0 for those that are not `own`.
    package func squares(_ gradient: FloatBlock, of own: Range<Int>? = nil, _ pool: WorkerPool) -> [Double] {
        let own = own ?? chunks.indices
        var squares = [Double](repeating: 0, count: chunks.count)
        squares.withUnsafeMutableBufferPointer { squares in
            pool.run(own.count) { task in
                let chunk = chunks[own.lowerBound + task]
                squares[own.lowerBound + task] = sum_of_squares(gradient.base + chunk.lowerBound, chunk.count)
            }
        }
        return squares
    }

    /// What the gradient is multiplied by, not above 1.
    package func factor(_ bound: Float, _ squares: [Double]) -> Float {
        let norm = squares.reduce(0, +).squareRoot()
        return norm > Double(bound) ? Float(Double(bound) / norm) : 1
    }

    /// Multiplies `count` numbers of the gradient by `factor`.
    package static func scale(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
        guard factor < 1 else { return }
        for i in 0..<count { gradient[i] *= factor }
    }
}
