import CKernels
import Testing

/// y = gain (x - mean) / sqrt(var + epsilon) + shift, a row at a time.
private func layerNorm(_ x: [Double], gain: [Double], shift: [Double], _ d: Int, epsilon: Double) -> [Double] {
    var y = x
    for start in stride(from: 0, to: x.count, by: d) {
        let row = x[start..<start + d], mean = row.reduce(0, +) / Double(d)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d)
        for c in 0..<d {
            y[start + c] = gain[c] * (row[start + c] - mean) / (variance + epsilon).squareRoot() + shift[c]
        }
    }
    return y
}

struct NormalizationTests {
    static let epsilon: Float = 1e-3
    static let widths = [1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 32, 33, 48, 97, 128, 129, 512]

    @Test(arguments: widths, [1, 2, 3, 7])
    func agreesWithTheDefinitionAndItsDifferences(d: Int, rows: Int) {
        var source = Source(UInt64(d * 100 + rows))
        let x = source.floats(rows * d, -2...3), gain = source.floats(d, 0.5...1.5), shift = source.floats(d),
            dy = source.floats(rows * d)
        var y = source.floats(rows * d), mean = source.floats(rows), rstd = source.floats(rows)
        layer_norm_forward(x, gain, shift, &y, &mean, &rstd, rows, d, Self.epsilon)
        let (xs, gains, shifts, weights) = (widened(x), widened(gain), widened(shift), widened(dy))
        let epsilon = Double(Self.epsilon)
        expectClose(
            y, layerNorm(xs, gain: gains, shift: shifts, d, epsilon: epsilon), within: 3e-6,
            "layer norm [\(rows) x \(d)]")

        // Gradients are added to what is there.
        let start = source.floats(rows * d + 2 * d)
        var dx = Array(start[..<(rows * d)]), dgain = Array(start[(rows * d)..<(rows * d + d)]),
            dshift = Array(start[(rows * d + d)...])
        layer_norm_backward(x, gain, dy, &dx, mean, rstd, &dgain, &dshift, rows, d)
        let all = zip(dx + dgain + dshift, start).map { $0 - $1 }
        // One column is always its own mean: 1 / sqrt(epsilon) multiplies whatever rounding leaves.
        expectGradient(all, at: xs + gains + shifts, within: d == 1 ? 1e-4 : 1e-5, "layer norm [\(rows) x \(d)]") { p in
            dot(
                weights,
                layerNorm(
                    Array(p[..<(rows * d)]), gain: Array(p[(rows * d)..<(rows * d + d)]),
                    shift: Array(p[(rows * d + d)...]), d, epsilon: epsilon))
        }
    }

    /// The variance is taken about the mean, so a common offset costs no more than the digits it takes from the input.
    @Test(arguments: [1e2, 1e4] as [Double])
    func aLargeOffsetIsHarmless(offset: Double) {
        let d = 128, ones = [Float](repeating: 1, count: d), zeros = [Float](repeating: 0, count: d)
        var source = Source(9), y = zeros, mean: Float = 0, rstd: Float = 0
        let x = source.floats(d, offset - 1...offset + 1)
        layer_norm_forward(x, ones, zeros, &y, &mean, &rstd, 1, d, Self.epsilon)
        let expected = layerNorm(
            widened(x), gain: widened(ones), shift: widened(zeros), d, epsilon: Double(Self.epsilon))
        expectClose(y, expected, within: offset * 1e-6, "layer norm about \(offset)")
    }

    @Test func aConstantRowBecomesTheShift() {
        let shift: [Float] = [0.5, -1, 2]
        var y: [Float] = [9, 9, 9], mean: Float = 0, rstd: Float = 0
        layer_norm_forward([4, 4, 4], [1, 2, 3], shift, &y, &mean, &rstd, 1, 3, Self.epsilon)
        #expect(y == shift)
    }
}
