import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct MuonTests {
    typealias Rows = [[Double]]

    private static func random(_ rows: Int, _ columns: Int, _ source: inout SplitMix64) -> Rows {
        (0..<rows).map { _ in (0..<columns).map { _ in Double.random(in: -1...1, using: &source) } }
    }

    private static func product(_ a: Rows, _ b: Rows) -> Rows {
        a.map { row in b[0].indices.map { j in zip(row, b).reduce(0) { $0 + $1.0 * $1.1[j] } } }
    }

    private static func transposed(_ a: Rows) -> Rows { a[0].indices.map { j in a.map { $0[j] } } }

    private static func norm(_ a: Rows) -> Double { a.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// Columns of length 1 at right angles (Gram and Schmidt, twice against rounding).
    private static func orthonormal(_ rows: Int, _ columns: Int, _ source: inout SplitMix64) -> Rows {
        var found: Rows = []
        for var column in transposed(random(rows, columns, &source)) {
            for _ in 0..<2 {
                for other in found {
                    let share = zip(column, other).reduce(0) { $0 + $1.0 * $1.1 }
                    column = zip(column, other).map { $0 - share * $1 }
                }
            }
            let length = norm([column])
            found.append(column.map { $0 / length })
        }
        return transposed(found)
    }

    private func block(_ rows: Rows) -> FloatBlock {
        let block = FloatBlock(rows.count * rows[0].count)
        for (i, value) in rows.joined().enumerated() { block.base[i] = Float(value) }
        return block
    }

    /// One matrix moves.
    private func step(
        _ weights: FloatBlock, _ rows: Int, _ columns: Int, moment: FloatBlock, gradient: FloatBlock, rate: Double,
        decay: Double
    ) {
        Muon().step(
            weights.matrix(rows, columns, at: 0), moment: moment.base, gradient: gradient.base, rate: Float(rate),
            decay: Float(rate * decay), Workspace())
    }

    private func expectClose(_ found: FloatBlock, _ expected: Rows, within bound: Double, _ what: String) {
        let worst = zip(found.buffer, expected.joined()).map { abs(Double($0) - $1) }.max()!
        #expect(worst <= bound, "\(what): \(worst)")
    }

    /// One round of Newton and Schulz, five times, on a singular value.
    private func mapped(_ s: Double) -> Double {
        (0..<5).reduce(s) { x, _ in 3.4445 * x - 4.7750 * x * x * x + 2.0315 * x * x * x * x * x }
    }

    /// Of U S V^T it makes U f(S) V^T, f the polynomial five times, which is near to 1.
    @Test(arguments: [(1, 1), (3, 1), (5, 5), (16, 3), (40, 17), (130, 64), (130, 100)])
    func singularValuesBecomeAlike(rows: Int, columns: Int) {
        var source = SplitMix64(seed: UInt64(rows))
        let u = Self.orthonormal(rows, columns, &source), v = Self.orthonormal(columns, columns, &source)
        var values = (0..<columns).map { _ in Double.random(in: 0.1...1, using: &source) }
        let length = Self.norm([values])
        values = values.map { $0 / length }
        func assembled(_ values: [Double]) -> Rows {
            Self.product(u.map { zip($0, values).map(*) }, Self.transposed(v))
        }
        let x = block(assembled(values))
        let found = FloatBlock(rows * columns), space = Workspace()
        found.matrix(rows, columns).copy(from: Muon.orthogonalized(x.matrix(rows, columns, at: 0), space))
        expectClose(found, assembled(values.map(mapped)), within: 2e-5, "[\(rows) x \(columns)]")
        #expect(values.allSatisfy { 0.65...1.25 ~= mapped($0) })
    }

    /// The definition in double precision, without a transposition: (x x^T) x for x^T (x^T x).
    private struct Definition {
        var weights: Rows
        var moment: Rows

        mutating func step(_ gradient: Rows, rate: Double, decay: Double) {
            let b = 0.95
            func blend(_ x: Rows, _ a: Double, _ y: Rows, _ c: Double) -> Rows {
                zip(x, y).map { zip($0, $1).map { a * $0 + c * $1 } }
            }
            moment = blend(moment, b, gradient, 1 - b)
            var x = blend(moment, b, gradient, 1 - b)
            x = blend(x, 1 / norm(x), x, 0)
            for _ in 0..<5 {
                let gram = product(x, transposed(x))
                x = blend(x, 3.4445, product(blend(gram, -4.7750, product(gram, gram), 2.0315), x), 1)
            }
            let longer = Double(max(x.count, x[0].count))
            weights = blend(weights, 1 - rate * decay, x, -rate * 0.5 * longer.squareRoot())
        }
    }

    @Test(arguments: [(1, 1), (1, 9), (9, 1), (6, 6), (20, 33), (33, 20), (64, 16), (16, 130)], [0, 0.1])
    func isTheDefinition(shape: (rows: Int, columns: Int), decay: Double) {
        let (rows, columns) = shape
        var source = SplitMix64(seed: UInt64(rows * columns))
        var expected = Definition(
            weights: Self.random(rows, columns, &source),
            moment: Rows(repeating: [Double](repeating: 0, count: columns), count: rows))
        let weights = block(expected.weights), moment = block(expected.moment)
        for count in 1...3 {
            let gradient = Self.random(rows, columns, &source), rate = 0.01 * Double(count)
            step(weights, rows, columns, moment: moment, gradient: block(gradient), rate: rate, decay: decay)
            expected.step(gradient, rate: rate, decay: decay)
        }
        expectClose(weights, expected.weights, within: 1e-4, "weights [\(rows) x \(columns)]")
        expectClose(moment, expected.moment, within: 1e-6, "momentum [\(rows) x \(columns)]")
    }

    /// Of a gradient of rank 1 the Gram matrix has eigenvalues that rounding makes negative. What it rounds off, 2^-24 of
    /// the length, is raised 485 times.
    @Test(arguments: [(130, 130), (20, 90)])
    func directionsThatAreNotThereStayAway(rows: Int, columns: Int) {
        var source = SplitMix64(seed: 7)
        let u = Self.orthonormal(rows, 1, &source), v = Self.orthonormal(columns, 1, &source),
            weights = FloatBlock(rows * columns),
            length = 0.01 * 0.5 * Double(max(rows, columns)).squareRoot() * mapped(1)
        step(
            weights, rows, columns, moment: FloatBlock(rows * columns),
            gradient: block(Self.product(u, Self.transposed(v))), rate: 0.01, decay: 0)
        expectClose(
            weights, Self.product(u, Self.transposed(v)).map { $0.map { -length * $0 } }, within: 2e-4 * length,
            "[\(rows) x \(columns)]")
    }

    @Test func aGradientThatWasAlwaysZeroMovesNothing() {
        let weights = block([[1, -2], [3, 4]]), zeros = block([[0, 0], [0, 0]])
        step(weights, 2, 2, moment: FloatBlock(4), gradient: zeros, rate: 1, decay: 0)
        #expect(Array(weights.buffer) == [1, -2, 3, 4])
    }

    /// Two matrices in one slot move each by itself; what is no matrix moves as with Adam alone, to the bit.
    @Test func matricesAndTheRest() {
        var layout = ParameterLayout()
        let table = layout.add("embedding", [700, 100], .xavier(fanIn: 100, fanOut: 100)),
            two = layout.add("two", [8, 5], .xavier(fanIn: 5, fanOut: 4), matrixRows: 4),
            bias = layout.add("bias", [8], .constant(0)),
            one = layout.add("one", [300, 200], .xavier(fanIn: 200, fanOut: 300), matrixRows: 300)
        var settings = Adam.Settings()
        settings.decay = 0.1
        func updated(_ muon: Muon?, threads: Int) -> (weights: FloatBlock, start: FloatBlock, gradient: FloatBlock) {
            let weights = layout.initialized(seed: 1), gradient = layout.initialized(seed: 2)
            let adam = Adam(settings, count: layout.count)
            WeightUpdate([0..<layout.count], of: layout.slots, muon: muon)(
                weights, gradient, adam, adam.constants(step: 1, rate: 0.01), pool: WorkerPool(threads: threads))
            return (weights, layout.initialized(seed: 1), gradient)
        }
        let (weights, start, gradient) = updated(Muon(), threads: 1), byAdam = updated(nil, threads: 1).weights
        func part(_ block: FloatBlock, _ offset: Int, _ rows: Int, _ columns: Int) -> FloatBlock {
            let part = FloatBlock(rows * columns)
            part.matrix(rows, columns, at: 0).copy(from: block.matrix(rows, columns, at: offset))
            return part
        }
        for slot in [table, bias] {
            #expect(slot.range.allSatisfy { weights.base[$0] == byAdam.base[$0] }, "\(slot.name)")
        }
        for (offset, rows, columns) in [(two.offset, 4, 5), (two.offset + 20, 4, 5), (one.offset, 300, 200)] {
            let alone = part(start, offset, rows, columns)
            step(
                alone, rows, columns, moment: FloatBlock(rows * columns),
                gradient: part(gradient, offset, rows, columns), rate: 0.01, decay: 0.1)
            #expect(bits(alone) == bits(part(weights, offset, rows, columns)), "at \(offset)")
        }
        #expect(bits(updated(Muon(), threads: 3).weights) == bits(weights))
    }
}
