import CKernels
import Testing

/// Bias, ReLU, dropout, residual: forward against the formula with the masks of the reference generator, backward
/// against differences.
struct ActivationTests {
    static let widths = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 128, 511, 512, 513, 1031]
    static let rates: [Float] = [0, 0.1, 0.6]

    struct Case {
        let rows: Int
        let d: Int
        let dropout: dropout_t
        let factors: [Double]
        var source: Source
        var count: Int { rows * d }

        init(_ rows: Int, _ d: Int, _ rate: Float) {
            (self.rows, self.d) = (rows, d)
            dropout = dropout_t(rate: rate, row: 5)
            factors = PhiloxReference.factors(rows: rows, d, dropout)
            source = Source(UInt64(rows * 10_000 + d))
        }

        /// The gradient of a bias that is added to every row of x, from that of x.
        func columnSums(_ x: [Float]) -> [Float] { (0..<d).map { c in (0..<rows).reduce(0) { $0 + x[$1 * d + c] } } }

        /// Rows of f(x + bias) times the dropout factors.
        func apply(_ x: [Double], _ bias: [Double], _ f: (Double) -> Double = { $0 }) -> [Double] {
            x.indices.map { f(x[$0] + bias[$0 % d]) * factors[$0] }
        }
    }

    private func forEachCase(_ d: Int, _ body: (Case, String) -> Void) {
        for rows in [1, 2, 3] {
            for rate in Self.rates { body(Case(rows, d, rate), "[\(rows) x \(d)], dropout \(rate)") }
        }
    }

    @Test(arguments: widths)
    func bias(d: Int) {
        let rows = 3
        var source = Source(UInt64(d))
        let start = source.floats(rows * d), bias = source.floats(d), dy = source.floats(rows * d),
            dstart = source.floats(d)
        var x = start, dbias = dstart
        add_bias(&x, bias, rows, d)
        #expect(x == start.indices.map { start[$0] + bias[$0 % d] })
        add_column_sums(dy, d, &dbias, rows, d)
        expectClose(
            dbias, (0..<d).map { c in (0..<rows).reduce(Double(dstart[c])) { $0 + Double(dy[$1 * d + c]) } },
            within: 1e-6, "bias gradient, \(d) columns")
    }

    /// What is not a number is found where it appears, not taken for 0.
    @Test(arguments: widths)
    func reluKeepsWhatIsNoNumber(d: Int) {
        var h = [Float](repeating: -1, count: 2 * d)
        h[d - 1] = .nan
        bias_relu_dropout_forward(&h, [Float](repeating: 0, count: d), 2, d, dropout_t(rate: 0, row: 0))
        #expect(h.indices.allSatisfy { $0 == d - 1 ? h[$0].isNaN : h[$0] == 0 })
    }

    @Test(arguments: widths)
    func biasReluDropout(d: Int) {
        forEachCase(d) { given, what in
            var source = given.source
            let x = source.floats(given.count), bias = source.floats(d), dy = source.floats(given.count)
            var h = x
            bias_relu_dropout_forward(&h, bias, given.rows, d, given.dropout)
            let relu: (Double) -> Double = { max(0, $0) }
            expectClose(h, given.apply(widened(x), widened(bias), relu), within: 1e-6, "bias, relu, dropout \(what)")

            var dx = dy
            bias_relu_dropout_backward(h, &dx, given.rows, d, given.dropout)
            expectGradient(
                dx + given.columnSums(dx), at: widened(x + bias), within: 2e-6, "bias, relu, dropout \(what)"
            ) { p in
                dot(widened(dy), given.apply(Array(p[..<given.count]), Array(p[given.count...]), relu))
            }
        }
    }

    @Test(arguments: widths)
    func residual(d: Int) {
        forEachCase(d) { given, what in
            var source = given.source
            let x = source.floats(given.count), s = source.floats(given.count), bias = source.floats(d)
            let dy = source.floats(given.count)
            var y = [Float](repeating: .nan, count: given.count)
            residual_forward(x, s, bias, &y, given.rows, d, given.dropout)
            expectClose(
                y, zip(widened(x), given.apply(widened(s), widened(bias))).map(+), within: 1e-6, "residual \(what)")

            var ds = [Float](repeating: .nan, count: given.count)
            residual_backward(dy, &ds, given.rows, d, given.dropout)
            expectGradient(ds + given.columnSums(ds), at: widened(s + bias), within: 2e-6, "residual \(what)") { p in
                dot(widened(dy), given.apply(Array(p[..<given.count]), Array(p[given.count...])))
            }
        }
    }

    @Test(arguments: widths)
    func embedding(d: Int) {
        let vocabulary = 5, places = 4, scale: Float = 2.5
        forEachCase(d) { given, what in
            var source = given.source
            let table = source.floats(vocabulary * d), positions = source.floats(places * d),
                dy = source.floats(given.count), start = source.floats(vocabulary * d)
            // Few ids, so that some repeat and their gradients meet.
            let ids = source.labels(given.rows, below: 2), at = source.labels(given.rows, below: places)
            func embed(_ table: [Double]) -> [Double] {
                (0..<given.count).map { i in
                    let r = i / d, c = i % d
                    return given.factors[i]
                        * (Double(scale) * table[Int(ids[r]) * d + c] + Double(positions[Int(at[r]) * d + c]))
                }
            }
            var y = [Float](repeating: .nan, count: given.count), dtable = start
            embedding_forward(table, ids, positions, at, scale, &y, given.rows, d, given.dropout)
            expectClose(y, embed(widened(table)), within: 1e-6, "embedding \(what)")
            // In two goes, each for the ids of a range.
            for range in [0..<1, 1..<vocabulary] {
                embedding_backward(
                    &dtable, ids, dy, scale, range.lowerBound, range.upperBound, given.rows, d, given.dropout)
            }
            expectGradient(zip(dtable, start).map { $0 - $1 }, at: widened(table), within: 2e-6, "embedding \(what)") {
                dot(widened(dy), embed($0))
            }
        }
    }

    /// The same (seed, stream, step) drops the same elements, any other names drop others.
    @Test func masksDependOnTheNamesOfTheStreamAlone() {
        let d = 200, zeros = [Float](repeating: 0, count: d)
        func mask(_ dropout: dropout_t) -> [Bool] {
            var h = [Float](repeating: 1, count: d)
            bias_relu_dropout_forward(&h, zeros, 1, d, dropout)
            return h.map { $0 == 0 }
        }
        let base = mask(dropout_t(rate: 0.5))
        #expect(base == mask(dropout_t(rate: 0.5)))
        for other in [dropout_t(rate: 0.5, seed: 1), dropout_t(rate: 0.5, stream: 1), dropout_t(rate: 0.5, step: 1)] {
            let same = zip(base, mask(other)).count { $0 == $1 }
            #expect((60...140).contains(same), "\(same) of \(d) agree, 100 expected by chance")
        }
    }
}
