import CKernels
import Kernels
import Models

/// Muon (Jordan et al. 2024) for matrices of weights: the step of a matrix [m, n] is its momentum, made orthogonal,
///   u = b u + (1 - b) g,   y = b u + (1 - b) g = U S V^T,
///   W -= rate (scale sqrt(max(m, n)) U V^T + decay W),
/// so that what moves is as long in every direction, and numbers move by scale times the rate in the root mean square
/// (Liu et al. 2025). What is no matrix from inputs to outputs, as embeddings and biases, is left to Adam.
package struct Muon: Codable, Equatable, Sendable {
    /// b
    package var momentum: Float = 0.95
    package var scale: Float = 0.5

    package init() {}

    /// Of Newton and Schulz: five rounds of x <- a x + (b x x^T + c (x x^T)^2) x take singular values from 0.02 to 1 to
    /// between 0.68 and 1.14, and raise smaller ones up to 485 times (coefficients of Jordan et al. 2024).
    private static let rounds = 5
    private static let (a, b, c): (Float, Float, Float) = (3.4445, -4.7750, 2.0315)

    /// Floats that a step of one matrix takes at most.
    static func room(rows: Int, columns: Int) -> Int {
        let least = min(rows, columns)
        return 3 * rows * columns + 4 * least * least + 7 * 64  // and the ends of seven
    }

    /// Moves one matrix. No bit depends on anything but the arguments.
    func step(
        _ weights: Matrix, moment: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, rate: Float,
        decay: Float, _ space: Workspace
    ) {
        let mark = space.mark, count = weights.count
        defer { space.release(to: mark) }
        let y = space.matrix(weights.rows, weights.columns)
        let squares = momentum_step(moment, gradient, y.base, count, momentum)
        let isWide = y.rows < y.columns, tall = isWide ? space.matrix(y.columns, y.rows) : y
        if isWide { transpose_rows(y.base, tall.base, y.rows, y.columns) }
        // 1e-30: of a gradient that was always 0 the step is 0
        blend(tall.base, tall.base, count, Float(1 / max(squares.squareRoot(), 1e-30)), 0)
        let orthogonal = Self.orthogonalized(tall, space)
        if isWide { transpose_rows(orthogonal.base, y.base, tall.rows, tall.columns) }
        blend(
            weights.base, (isWide ? y : orthogonal).base, count, -rate * scale * Float(tall.rows).squareRoot(),
            1 - decay)
    }

    /// About U V^T, where x = U S V^T, of norm 1 and with no more columns than rows; taken from `space`.
    ///
    /// What a round multiplies x with, p = a + b g + c g^2, is made of its Gram matrix g alone, and so is the next
    /// Gram matrix, p^2 g: x itself is read but twice. All of these are symmetric and commute, hence so are their
    /// products.
    static func orthogonalized(_ x: Matrix, _ space: Workspace) -> Matrix {
        let n = x.columns, result = space.matrix(x.rows, n), gram = space.matrix(n, n)
        var factor = space.matrix(n, n), whole = space.matrix(n, n), next = space.matrix(n, n)
        gramian(x, into: gram)
        for round in 0..<rounds {
            symmetricProduct(gram, gram, into: factor)
            polynomial(gram.base, factor.base, n, a, b, c)
            if round + 1 < rounds {
                symmetricProduct(factor, gram, into: next)
                symmetricProduct(factor, next, into: gram)
            }
            if round > 0 {
                symmetricProduct(whole, factor, into: next)
                swap(&whole, &next)
            } else {
                swap(&whole, &factor)
            }
        }
        gemm(x, whole, into: result)
        return result
    }
}
