import Kernels
import Testing

/// A matrix inside a larger block of marked floats.
private final class Framed {
    static let marker = Float.nan
    let block: FloatBlock
    let matrix: Matrix

    init(_ rows: Int, _ columns: Int, margin: Int, _ source: inout Source) {
        let stride = columns + margin
        block = FloatBlock(rows * stride + margin)
        block.buffer.update(repeating: Self.marker)
        matrix = Matrix(block.base + margin, rows: rows, columns: columns, stride: stride)
        for r in 0..<rows { for c in 0..<columns { matrix[r, c] = Float(source.uniform()) } }
    }

    var frameIsWhole: Bool {
        var copy = Array(block.buffer)
        let start = matrix.base - block.base
        for r in 0..<matrix.rows { for c in 0..<matrix.columns { copy[start + r * matrix.stride + c] = Self.marker } }
        return copy.allSatisfy { $0.bitPattern == Self.marker.bitPattern }
    }
}

struct MatrixTests {
    @Test(arguments: [1, 2, 3, 6, 7, 17, 33, 50], [1, 2, 5, 16, 64, 83])
    func productAgreesWithTheDefinition(m: Int, n: Int) {
        for k in [1, 3, 17, 64, 300] {
            for (accumulate, margin) in [(false, 0), (true, 3)] { checkProduct(m, n, k, accumulate, margin) }
        }
    }

    private func checkProduct(_ m: Int, _ n: Int, _ k: Int, _ accumulate: Bool, _ margin: Int) {
        var source = Source(UInt64(m * 10_000 + n * 100 + k))
        let a = Framed(m, k, margin: margin, &source), b = Framed(k, n, margin: margin, &source)
        let c = Framed(m, n, margin: margin, &source)
        var expected: [Double] = []
        for i in 0..<m {
            for j in 0..<n {
                let sum = (0..<k).reduce(0.0) { $0 + Double(a.matrix[i, $1]) * Double(b.matrix[$1, j]) }
                expected.append((accumulate ? Double(c.matrix[i, j]) : 0) + sum)
            }
        }
        if !accumulate { c.matrix.fill(.nan) }  // what was there must not matter
        gemm(a.matrix, b.matrix, into: c.matrix, accumulate: accumulate)
        defer { withExtendedLifetime((a, b, c)) {} }
        let actual = (0..<m).flatMap { i in (0..<n).map { c.matrix[i, $0] } }
        expectClose(
            actual, expected, within: 2e-6,
            "[\(m) x \(k)] [\(k) x \(n)], accumulate \(accumulate), margin \(margin)")
        #expect(a.frameIsWhole && b.frameIsWhole && c.frameIsWhole)
    }

    /// dW = dy^T x and db = column sums of dy, set or added.
    @Test(arguments: [1, 5, 6, 7, 8, 96, 131, 132, 133, 139, 270], [0, 1, 255, 300])
    func weightGradientAgreesWithTheDefinition(outputs: Int, rows: Int) {
        for (inputs, accumulate, margin) in [(1, false, 0), (16, true, 3), (37, false, 2), (37, true, 0)] {
            var source = Source(UInt64(outputs * 1000 + rows * 10 + inputs))
            let dy = Framed(rows, outputs, margin: margin, &source), x = Framed(rows, inputs, margin: margin, &source)
            let dw = Framed(outputs, inputs, margin: margin, &source), db = Framed(1, outputs, margin: 1, &source)
            defer { withExtendedLifetime((dy, x, dw, db)) {} }
            let before = accumulate ? 1.0 : 0
            var expected = [Double](), sums = [Double]()
            for o in 0..<outputs {
                for i in 0..<inputs {
                    expected.append(
                        (0..<rows).reduce(before * Double(dw.matrix[o, i])) {
                            $0 + Double(dy.matrix[$1, o]) * Double(x.matrix[$1, i])
                        })
                }
                sums.append((0..<rows).reduce(before * Double(db.matrix[0, o])) { $0 + Double(dy.matrix[$1, o]) })
            }
            if !accumulate { for matrix in [dw.matrix, db.matrix] { matrix.fill(.nan) } }
            weightGradient(dy.matrix, x.matrix, into: dw.matrix, bias: db.matrix.base, accumulate: accumulate)
            let found = (0..<outputs).flatMap { o in (0..<inputs).map { dw.matrix[o, $0] } }
            let what = "[\(rows) x \(outputs)]^T [\(rows) x \(inputs)], accumulate \(accumulate)"
            expectClose(found, expected, within: 2e-6, what)
            expectClose((0..<outputs).map { db.matrix[0, $0] }, sums, within: 2e-6, "sums of " + what)
            #expect(dy.frameIsWhole && x.frameIsWhole && dw.frameIsWhole && db.frameIsWhole)
        }
    }

    /// Sizes about tiles, strips and the rows that are copied together; the product of a matrix with itself and itself
    /// plus one.
    @Test(arguments: [1, 2, 5, 6, 7, 15, 16, 17, 63, 64, 65, 100, 131, 132, 133, 150, 257, 300])
    func symmetricProductsAgreeWithTheDefinition(n: Int) {
        for (rows, margin) in [(1, 0), (9, 3), (300, 2)] {
            var source = Source(UInt64(n * 1000 + rows))
            let x = Framed(rows, n, margin: margin, &source), gram = Framed(n, n, margin: margin, &source)
            let other = Framed(n, n, margin: 0, &source), product = Framed(n, n, margin: margin, &source)
            defer { withExtendedLifetime((x, gram, other, product)) {} }
            func naive(_ sum: (Int, Int) -> Double) -> [Double] { (0..<n * n).map { sum($0 / n, $0 % n) } }
            func found(_ matrix: Matrix) -> [Float] { (0..<n * n).map { matrix[$0 / n, $0 % n] } }
            func isSymmetric(_ matrix: Matrix) -> Bool {
                (0..<n).allSatisfy { i in (0..<i).allSatisfy { matrix[i, $0] == matrix[$0, i] } }
            }
            for matrix in [gram.matrix, product.matrix] { matrix.fill(.nan) }  // what was there must not matter
            gramian(x.matrix, into: gram.matrix)
            let g = gram.matrix, h = other.matrix
            expectClose(
                found(g),
                naive { i, j in (0..<rows).reduce(0) { $0 + Double(x.matrix[$1, i]) * Double(x.matrix[$1, j]) } },
                within: 2e-6, "Gram matrix of [\(rows) x \(n)]")
            for i in 0..<n { for j in 0..<n { h[i, j] = g[i, j] + (i == j ? 1 : 0) } }
            symmetricProduct(g, h, into: product.matrix)
            expectClose(
                found(product.matrix),
                naive { i, j in (0..<n).reduce(0) { $0 + Double(g[i, $1]) * Double(h[$1, j]) } },
                within: 2e-6, "product of [\(n) x \(n)]")
            #expect(isSymmetric(g) && isSymmetric(product.matrix))
            #expect(x.frameIsWhole && gram.frameIsWhole && product.frameIsWhole)
        }
    }

    /// A batch may have no tokens on one side: no rows, or a sum over nothing.
    @Test func emptyDimensions() {
        let block = FloatBlock(6)
        defer { withExtendedLifetime(block) {} }
        let c = block.matrix(2, 3), other = block.matrix(0, 3)
        c.fill(7)
        weightGradient(block.matrix(0, 2), other, into: c, accumulate: true)
        gemm(block.matrix(2, 0), other, into: c, accumulate: true)
        #expect(block.buffer.allSatisfy { $0 == 7 })
        weightGradient(block.matrix(0, 2), other, into: c)
        #expect(block.buffer.allSatisfy { $0 == 0 })
        c.fill(7)
        gemm(block.matrix(2, 0), other, into: c)
        #expect(block.buffer.allSatisfy { $0 == 0 })
    }

    @Test func viewsShareTheirFloats() {
        let block = FloatBlock(35), copy = FloatBlock(15)
        defer { withExtendedLifetime((block, copy)) {} }
        let whole = block.matrix(5, 7), part = whole.rows(1..<4).columns(2..<5)
        #expect(part.rows == 3 && part.columns == 3 && part.stride == 7 && !part.isContiguous && whole.isContiguous)
        part.fill(4)
        #expect(
            block.buffer.indices.allSatisfy {
                block.buffer[$0] == ((1..<4).contains($0 / 7) && (2..<5).contains($0 % 7) ? 4 : 0)
            })
        whole[3, 3] = 9
        #expect(part[2, 1] == 9 && part.row(2)[1] == 9)
        copy.matrix(3, 5).columns(1..<4).copy(from: part)
        #expect(Array(copy.buffer) == [0, 4, 4, 4, 0, 0, 4, 4, 4, 0, 0, 4, 9, 4, 0] && part.description == "[3 x 3]")
    }
}
