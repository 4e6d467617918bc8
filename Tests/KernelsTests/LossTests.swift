import CKernels
import Foundation
import TestSupport
import Testing

/// The gradient of a bias that is added to every row of x, from that of x.
private func columnSums(_ x: [Float], _ columns: Int) -> [Float] {
    (0..<columns).map { c in stride(from: c, to: x.count, by: columns).reduce(0) { $0 + x[$1] } }
}

struct LossTests {
    static let vocabularies = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 101, 1009]

    @Test(arguments: vocabularies, [0, 0.1, 0.5] as [Float])
    func agreesWithTheDefinitionAndItsDifferences(vocabulary: Int, smoothing: Float) {
        for rows in [1, 2, 5] {
            var source = Source(UInt64(vocabulary * 10 + rows))
            let x = source.floats(rows * vocabulary, -4...4), bias = source.floats(vocabulary),
                labels = source.labels(rows, below: vocabulary)
            let scale: Float = 0.37
            let what = "cross-entropy [\(rows) x \(vocabulary)], smoothing \(smoothing)"
            var gradient = x, nll = 11.0
            let loss = cross_entropy(&gradient, bias, labels, rows, vocabulary, smoothing, scale, 1, &nll)

            let (xs, biases) = (widened(x), widened(bias))
            let expected = crossEntropy(xs, biases, labels, smoothing: Double(smoothing))
            #expect(abs(loss - expected.loss) <= 1e-6 * max(1, expected.loss), "\(what)")
            #expect(abs(nll - 11 - expected.nll) <= 1e-6 * max(1, expected.nll), "\(what)")
            expectGradient(gradient + columnSums(gradient, vocabulary), at: xs + biases, within: 1e-6, what) { p in
                let (x, bias) = (Array(p[..<(rows * vocabulary)]), Array(p[(rows * vocabulary)...]))
                return Double(scale) * crossEntropy(x, bias, labels, smoothing: Double(smoothing)).loss
            }

            var scratch = x, plain = 0.0
            #expect(
                cross_entropy(&scratch, bias, labels, rows, vocabulary, smoothing, 0, 0, &plain) == loss,
                "without gradient: \(what)")
        }
    }

    /// A confident model: differences of thousands neither overflow nor lose the loss.
    @Test(arguments: [100, 1e4, 1e6] as [Double])
    func largeLogitsStayFinite(size: Double) {
        let rows = 4, vocabulary = 37
        var source = Source(5)
        let x = source.floats(rows * vocabulary, -size...size), bias = source.floats(vocabulary),
            labels = source.labels(rows, below: vocabulary)
        var gradient = x, nll = 0.0
        let loss = cross_entropy(&gradient, bias, labels, rows, vocabulary, 0.1, 1, 1, &nll)
        let expected = crossEntropy(widened(x), widened(bias), labels, smoothing: 0.1)
        #expect(abs(loss - expected.loss) <= 1e-5 * expected.loss)
        #expect(abs(nll - expected.nll) <= 1e-5 * expected.nll)
        for r in 0..<rows { #expect(abs(gradient[(r * vocabulary)..<((r + 1) * vocabulary)].reduce(0, +)) < 1e-5) }
    }

    @Test(arguments: [5, 16, 33, 101], [(Float(0.9), Float(1)), (0.5, 2), (1, 0.7), (0, 3)])
    func aTaughtModelAgreesWithTheDefinitionAndItsDifferences(
        vocabulary: Int, teaching: (alpha: Float, temperature: Float)
    ) {
        let rows = 3, k = 4, smoothing: Float = 0.1, scale: Float = 0.37
        var source = Source(UInt64(vocabulary))
        let x = source.floats(rows * vocabulary, -3...3), bias = source.floats(vocabulary),
            labels = source.labels(rows, below: vocabulary)
        let ids = (0..<rows).flatMap { r in (0..<k).map { Int32((r * 3 + $0) % vocabulary) } }
        let probabilities: [Float] = (0..<rows).flatMap { r in [0.5, 0.25, 0.1, Float(r) * 0.075] }
        var gradient = x, nll = 3.0
        func run(_ scale: Float, _ logits: inout [Float], _ gradient: Int32, _ nll: inout Double) -> Double {
            ids.withUnsafeBufferPointer { ids in
                probabilities.withUnsafeBufferPointer { p in
                    let teacher = teacher_t(
                        ids: ids.baseAddress, probabilities: p.baseAddress, likeliest: k, alpha: teaching.alpha,
                        temperature: teaching.temperature)
                    return taught_cross_entropy(
                        &logits, bias, labels, teacher, rows, vocabulary, smoothing, scale, gradient, &nll)
                }
            }
        }
        func loss(_ x: [Double], _ bias: [Double]) -> Double {
            taughtLoss(x, bias, labels, ids, probabilities, teaching, smoothing: Double(smoothing))
        }
        let found = run(scale, &gradient, 1, &nll), expected = loss(widened(x), widened(bias)),
            what = "\(vocabulary) classes, \(teaching)"
        #expect(abs(found - expected) <= 2e-6 * max(1, abs(expected)), "\(what): \(found), expected \(expected)")
        #expect(
            abs(nll - 3 - crossEntropy(widened(x), widened(bias), labels, smoothing: 0.1).nll) < 1e-5,
            "\(what)")
        expectGradient(gradient + columnSums(gradient, vocabulary), at: widened(x) + widened(bias), within: 3e-6, what)
        { p in
            Double(scale) * loss(Array(p[..<(rows * vocabulary)]), Array(p[(rows * vocabulary)...]))
        }
        var scratch = x, plain = 0.0
        #expect(run(0, &scratch, 0, &plain) == found, "without gradient: \(what)")
    }

    /// Where the model leaves the other classes next to nothing, their share of the teacher's is a number as large as
    /// it is small, in which that of the likeliest must not get lost.
    @Test(arguments: [Float(1), 2]) func aTaughtModelThatIsTooSureLearnsAsExactly(temperature: Float) {
        let vocabulary = 40, ids: [Int32] = [3, 4], p: [Float] = [0.3, 0.2], bias = [Float](repeating: 0, count: 40)
        var x = (0..<vocabulary).map { ids.contains(Int32($0)) ? 14 * temperature : Float($0 % 5) * 0.1 }, nll = 0.0
        let z = widened(x)
        _ = ids.withUnsafeBufferPointer { ids in
            p.withUnsafeBufferPointer { p in
                let teacher = teacher_t(
                    ids: ids.baseAddress, probabilities: p.baseAddress, likeliest: 2, alpha: 1, temperature: temperature
                )
                return taught_cross_entropy(&x, bias, [4], teacher, 1, vocabulary, 0, 1, 1, &nll)
            }
        }
        let soft = z.map { exp($0 / Double(temperature)) }, sum = soft.reduce(0, +)
        for (id, p) in zip(ids, p) {
            let expected = Double(temperature) * (soft[Int(id)] / sum - Double(p))
            #expect(abs(Double(x[Int(id)]) - expected) < 1e-6, "class \(id): \(x[Int(id)]), expected \(expected)")
        }
    }

    /// Logits of tens of thousands, near to one another: the gradient is as exact as that of small ones.
    @Test(arguments: [Float(1), 2])
    func aTaughtModelOfLargeLogitsLearnsAsExactly(temperature: Float) {
        let vocabulary = 33, ids: [Int32] = [3, 4, 5, 6], p: [Float] = [0.4, 0.3, 0.1, 0.1], label: [Int32] = [4]
        var source = Source(8)
        let near = source.floats(vocabulary, -3...3).map { ($0 * 64).rounded() / 64 },  // exact beside 32,768
            zeros = [Float](repeating: 0, count: vocabulary)
        let gradients = [Float(0), 32_768].map { (offset: Float) in
            var x = near.map { $0 + offset }, nll = 0.0
            _ = ids.withUnsafeBufferPointer { ids in
                p.withUnsafeBufferPointer { p in
                    taught_cross_entropy(
                        &x, zeros, label,
                        teacher_t(
                            ids: ids.baseAddress, probabilities: p.baseAddress, likeliest: 4, alpha: 0.9,
                            temperature: temperature), 1, vocabulary, 0.1, 1, 1, &nll)
                }
            }
            return x
        }
        #expect(gradients[0] == gradients[1])
    }
}
