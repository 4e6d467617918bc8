import CKernels
import Kernels

/// Sums over the target tokens of a batch.
package struct LossSums: Sendable {
    /// Label-smoothed cross-entropy, nats; where the labels have a teacher alpha T^2 KL(teacher || model) +
    /// (1 - alpha) times it, and what `ContextMatching` adds.
    package var loss = 0.0
    /// Negative log-likelihood of the references, nats.
    package var nll = 0.0
    package var tokens = 0

    package init() {}

    package static func + (a: LossSums, b: LossSums) -> LossSums {
        var sum = a
        sum.loss += b.loss
        sum.nll += b.nll
        sum.tokens += b.tokens
        return sum
    }

    /// Mean loss of a token.
    package var mean: Double { loss / Double(max(tokens, 1)) }
    package var meanNLL: Double { nll / Double(max(tokens, 1)) }
}

/// What a target token should be.
package struct Labels {
    /// The reference's tokens.
    package var tokens: [Int32] = []
    /// What a teacher says of them.
    package var teacher: Teacher?

    package struct Teacher {
        /// Likeliest tokens and their probabilities, [tokens, likeliest].
        package var ids: [Int32] = []
        package var probabilities: [Float] = []
        package let likeliest: Int
        /// Share of the teacher in the loss.
        package let alpha: Float
        package let temperature: Float

        /// Tokens that can be kept of each distribution.
        package static let mostLikeliest = Int(MOST_LIKELIEST)

        package init(likeliest: Int, alpha: Float, temperature: Float) {
            require(1...Self.mostLikeliest ~= likeliest, "\(likeliest) likeliest tokens")
            self.likeliest = likeliest
            self.alpha = alpha
            self.temperature = temperature
        }
    }

    package init() {}

    /// Keeps the memory.
    mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        teacher?.ids.removeAll(keepingCapacity: true)
        teacher?.probabilities.removeAll(keepingCapacity: true)
    }
}

/// Logits, softmax and label-smoothed cross-entropy, forward and backward in one go over a few rows at a time: the
/// logits of a whole batch never exist at once, only their gradient, where that is left to the whole batch's product.
struct OutputLayer {
    let weight: Slot
    let bias: Slot
    /// Rows at a time; 128 x 8,000 logits are 4 MB.
    private static let block = 128

    func logits(_ x: Matrix, _ pass: Pass) -> Matrix {
        let y = pass.workspace.matrix(x.rows, weight.rows)
        pass.product(x, weight, bias: pass.weights[bias].base, into: y)
        return y
    }

    /// - Parameters:
    ///   - labels: the next token of each row of x
    ///   - gradientScale: multiplies the gradient, 1 / (tokens of the batch); in a pass that wants a gradient, returns
    ///     d(x) too
    func loss(
        _ x: Matrix, labels: Labels, smoothing: Float, gradientScale: Float, _ pass: Pass
    ) -> (LossSums, dx: Matrix?) {
        let w = pass.weights[weight], space = pass.workspace
        let dx = pass.wantsGradient ? space.matrix(x.rows, x.columns) : nil, mark = space.mark,
            trains = pass.trainsTransformer
        pass.phase(.products)
        let left = pass.tile != nil && trains ? pass.keep(x.rows, w.rows) : nil
        let panels = pass.panels(weight), some = left ?? space.matrix(min(Self.block, x.rows), w.rows)
        var sums = LossSums()
        for start in stride(from: 0, to: x.rows, by: Self.block) {
            let range = start..<min(start + Self.block, x.rows)
            let rows = x.rows(range), logits = left == nil ? some.rows(0..<range.count) : some.rows(range)
            pass.phase(.products)
            panels.product(rows, bias: nil, into: logits, space)
            pass.phase(.loss)
            sums.loss += crossEntropy(logits, labels, from: start, smoothing, gradientScale, &sums.nll, pass)
            guard let dx else { continue }
            pass.phase(.products)
            pass.backProduct(logits, weight, into: dx.rows(range))
            if left == nil, trains { pass.addProduct(weight, bias: bias, rows, dy: logits) }
        }
        if let left { pass.addProduct(weight, bias: bias, x, dy: left) }
        space.release(to: mark)
        sums.tokens = x.rows
        return (sums, dx)
    }

    /// Of rows of labels from `start` on; logits become the gradient.
    private func crossEntropy(
        _ logits: Matrix, _ labels: Labels, from start: Int, _ smoothing: Float, _ scale: Float,
        _ nll: inout Double, _ pass: Pass
    ) -> Double {
        let bias = pass.weights[bias].base, gradient: Int32 = pass.wantsGradient ? 1 : 0, rows = logits.rows,
            columns = logits.columns
        return labels.tokens.withUnsafeBufferPointer { tokens in
            let tokens = tokens.baseAddress! + start
            guard let teacher = labels.teacher, !teacher.ids.isEmpty else {
                return cross_entropy(logits.base, bias, tokens, rows, columns, smoothing, scale, gradient, &nll)
            }
            return teacher.ids.withUnsafeBufferPointer { ids in
                teacher.probabilities.withUnsafeBufferPointer { probabilities in
                    let taught = teacher_t(
                        ids: ids.baseAddress! + start * teacher.likeliest,
                        probabilities: probabilities.baseAddress! + start * teacher.likeliest,
                        likeliest: teacher.likeliest, alpha: teacher.alpha, temperature: teacher.temperature)
                    return taught_cross_entropy(
                        logits.base, bias, tokens, taught, rows, columns, smoothing, scale, gradient, &nll)
                }
            }
        }
    }

    /// The k likeliest tokens that may follow each row of x at a temperature, with the logarithms of their
    /// probabilities: [rows, k].
    func likeliest(_ k: Int, _ x: Matrix, temperature: Float, _ pass: Pass) -> (ids: [Int32], logProbabilities: [Float])
    {
        let space = pass.workspace, mark = space.mark, w = pass.weights[weight]
        defer { space.release(to: mark) }
        let scaled = space.matrix(x.rows, x.columns), ownBias = space.take(w.rows)
        for i in 0..<x.rows { for c in 0..<x.columns { scaled[i, c] = x[i, c] / temperature } }
        for i in 0..<w.rows { ownBias[i] = pass.weights[bias][0, i] / temperature }
        var ids = [Int32](repeating: 0, count: x.rows * k), logProbabilities = [Float](repeating: 0, count: x.rows * k)
        pass.panels(weight)
            .best(
                k, of: scaled, bias: ownBias, suppressed: [], logProbabilities: &logProbabilities, indices: &ids, space)
        return (ids, logProbabilities)
    }
}
