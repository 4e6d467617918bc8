import Foundation

/// Sums over rows of -sum_c q_c log softmax(x + bias)_c, q = (1 - smoothing) onehot + smoothing / vocabulary, and of
/// -log softmax at the label.
public func crossEntropy(
    _ x: [Double], _ bias: [Double], _ labels: [Int32], smoothing: Double
) -> (loss: Double, nll: Double) {
    let vocabulary = bias.count
    var loss = 0.0, nll = 0.0
    for (r, label) in labels.enumerated() {
        let row = (0..<vocabulary).map { x[r * vocabulary + $0] + bias[$0] }, top = row.max()!
        let logSum = top + log(row.reduce(0) { $0 + exp($1 - top) })
        for c in 0..<vocabulary {
            let q = smoothing / Double(vocabulary) + (c == Int(label) ? 1 - smoothing : 0)
            loss += q * (logSum - row[c])
        }
        nll += logSum - row[Int(label)]
    }
    return (loss, nll)
}

/// alpha T^2 KL(p, softmax(z / T)) + (1 - alpha) cross-entropy, z = x + bias, summed over rows; p a teacher's likeliest
/// classes and one for all others.
public func taughtLoss(
    _ x: [Double], _ bias: [Double], _ labels: [Int32], _ ids: [Int32], _ probabilities: [Float],
    _ teaching: (alpha: Float, temperature: Float), smoothing: Double
) -> Double {
    let vocabulary = bias.count, k = ids.count / labels.count,
        (alpha, T) = (Double(teaching.alpha), Double(teaching.temperature))
    var sum = (1 - alpha) * crossEntropy(x, bias, labels, smoothing: smoothing).loss
    for r in labels.indices {
        let z = (0..<vocabulary).map { (x[r * vocabulary + $0] + bias[$0]) / T }, top = z.max()!
        let logSum = top + log(z.reduce(0) { $0 + exp($1 - top) })
        let own = probabilities[r * k..<r * k + k].map(Double.init), rest = max(0, 1 - own.reduce(0, +))
        let known = (0..<k).map { Int(ids[r * k + $0]) }
        for (c, p) in zip(known, own) where p > 0 { sum += alpha * T * T * p * (log(p) - (z[c] - logSum)) }
        let others = (0..<vocabulary).filter { !known.contains($0) }.reduce(0) { $0 + exp(z[$1] - logSum) }
        if rest > 0 { sum += alpha * T * T * rest * log(rest / others) }
    }
    return sum
}
