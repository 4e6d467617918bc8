import CKernels
import Kernels

/// Sums over the target tokens of a batch.
public struct LossSums: Sendable {
    /// Label-smoothed cross-entropy, nats.
    public var loss = 0.0
    /// Negative log-likelihood of the references, nats.
    public var likelihood = 0.0
    public var tokens = 0

    public init() {}

    public static func + (a: LossSums, b: LossSums) -> LossSums {
        var sum = a
        sum.loss += b.loss
        sum.likelihood += b.likelihood
        sum.tokens += b.tokens
        return sum
    }

    /// Mean loss of a token.
    public var mean: Double { loss / Double(max(tokens, 1)) }
    public var meanLikelihood: Double { likelihood / Double(max(tokens, 1)) }
}

/// Logits, softmax and label-smoothed cross-entropy, forward and backward in one go over a few rows at a time: the logits
/// of a whole batch never exist at once.
struct OutputLayer {
    let weight: Slot
    let bias: Slot
    /// Rows at a time; 128 x 8,000 logits are 4 MB.
    private static let block = 128

    func logits(_ x: Matrix, _ pass: Pass) -> Matrix {
        let w = pass.weights[weight], y = pass.workspace.matrix(x.rows, w.rows), mark = pass.workspace.mark
        Panels(w, at: pass.workspace.take(Panels.count(w))).product(x, bias: pass.weights[bias].base, into: y, pass.workspace)
        pass.workspace.release(to: mark)
        return y
    }

    /// - Parameters:
    ///   - labels: the reference's next token for each row of x
    ///   - gradientScale: multiplies the gradient, 1 / (tokens of the batch); with it and a gradient block, returns d(x) too
    func loss(_ x: Matrix, labels: [Int32], smoothing: Float, gradientScale: Float, _ pass: Pass) -> (LossSums, dx: Matrix?) {
        let w = pass.weights[weight], space = pass.workspace
        let dx = pass.gradients == nil ? nil : space.matrix(x.rows, x.columns), mark = space.mark
        pass.phase(.products)
        let panels = Panels(w, at: space.take(Panels.count(w))), all = space.matrix(min(Self.block, x.rows), w.rows)
        var sums = LossSums()
        for start in stride(from: 0, to: x.rows, by: Self.block) {
            let range = start..<min(start + Self.block, x.rows)
            let rows = x.rows(range), logits = all.rows(0..<range.count)
            pass.phase(.products)
            panels.product(rows, bias: nil, into: logits, space)
            pass.phase(.loss)
            sums.loss += labels.withUnsafeBufferPointer {
                cross_entropy(
                    logits.base, pass.weights[bias].base, $0.baseAddress! + start, logits.rows, logits.columns,
                    smoothing, gradientScale, pass.gradients?[bias].base, &sums.likelihood)
            }
            guard let dx, let gradients = pass.gradients else { continue }
            pass.phase(.products)
            gemm(logits, w, into: dx.rows(range))
            gemm(logits, rows, transposeA: true, into: gradients[weight], accumulate: true)
        }
        space.release(to: mark)
        sums.tokens = x.rows
        return (sums, dx)
    }
}
