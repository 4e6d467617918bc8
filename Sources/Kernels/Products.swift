import CKernels

/// The kernels of products that this processor runs.
package enum ProductKernels {
    /// Their level of x86-64, such as `x86-64-v3`: sums of floats have the same bits on machines of one level.
    package static var level: String { String(cString: product_level()) }
}

/// c = a b, or c += a b where `accumulate`. For products with b transposed there are `Panels`, with a transposed
/// `weightGradient`.
///
/// The matrices of a Transformer of this size are so thin that a BLAS, which rearranges both operands and clears the
/// result at every call, spends a fifth of its time on that (OpenBLAS).
package func gemm(_ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false) {
    require(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns, "product of \(a) and \(b) into \(c)")
    guard a.rows > 0, b.columns > 0 else { return }
    guard b.rows > 0 else { return accumulate ? () : c.fill(0) }
    product(
        a.base, a.stride, b.base, b.stride, c.base, c.stride, a.rows, b.columns, b.rows, accumulate ? 1 : 0)
}

/// dw = dy^T x and, where there is a bias, db = column sums of dy; or both are added, where `accumulate`.
package func weightGradient(
    _ dy: Matrix, _ x: Matrix, into dw: Matrix, bias db: UnsafeMutablePointer<Float>? = nil, accumulate: Bool = false
) {
    require(
        dy.rows == x.rows && dw.rows == dy.columns && dw.columns == x.columns, "gradient \(dw) of \(dy)^T and \(x)")
    if let db, !accumulate { db.update(repeating: 0, count: dy.columns) }
    guard dy.rows > 0 else { return accumulate ? () : dw.fill(0) }
    product_transposed(
        dy.base, dy.stride, x.base, x.stride, dw.base, dw.stride, dy.columns, x.columns, x.rows, accumulate ? 1 : 0, db)
}

/// c = a b of square matrices whose product is symmetric, as that of symmetric ones that commute: little more than half
/// the work of `gemm`. c is neither a nor b.
package func symmetricProduct(_ a: Matrix, _ b: Matrix, into c: Matrix) {
    let n = c.rows
    require(
        [a, b, c].allSatisfy { $0.rows == n && $0.columns == n } && n > 0,
        "symmetric product of \(a) and \(b) into \(c)")
    product_symmetric(a.base, a.stride, b.base, b.stride, c.base, c.stride, n)
}

/// c = x^T x.
package func gramian(_ x: Matrix, into c: Matrix) {
    require(c.rows == x.columns && c.columns == x.columns && x.count > 0, "Gram matrix \(c) of \(x)")
    product_gram(x.base, x.stride, c.base, c.stride, x.columns, x.rows)
}

/// How weights are kept for products x W^T.
package enum Precision: String, CaseIterable, Codable, Sendable {
    case float32
    /// Bytes, a quarter of the room, with a scale for each output; the rows that are multiplied become bytes too, with
    /// a scale for each row. Faster on processors with AVX-512 VNNI; sums are exact everywhere.
    case int8

    /// Inputs whose products with bytes are summed exactly in 32 bits.
    package static let widestInt8 = 65_536

    fileprivate var type: panel_type_t { self == .int8 ? panel_int8 : panel_float32 }
}

/// A weight matrix [outputs, inputs] laid out for products x W^T. A row's result depends on that row alone, to the last
/// bit.
package struct Panels {
    package let inputs: Int
    package let outputs: Int
    package let type: panel_type_t
    private let base: UnsafeMutablePointer<Float>

    /// Floats that `weights` takes.
    package static func count(_ weights: Matrix, _ precision: Precision = .float32) -> Int {
        count(inputs: weights.columns, outputs: weights.rows, precision)
    }

    package static func count(inputs: Int, outputs: Int, _ precision: Precision = .float32) -> Int {
        panel_floats(inputs, outputs, precision.type)
    }

    /// - Parameter base: room for `count` floats on a 64-byte boundary, which outlives this value
    package init(_ weights: Matrix, _ precision: Precision = .float32, at base: UnsafeMutablePointer<Float>) {
        require(
            weights.columns > 0 && (precision == .float32 || weights.columns <= Precision.widestInt8),
            "\(precision) panels of \(weights)")
        inputs = weights.columns
        outputs = weights.rows
        type = precision.type
        self.base = base
        pack(weights, 0..<outputs)
    }

    /// Of weights that are packed later, in parts.
    package init(inputs: Int, outputs: Int, unpackedAt base: UnsafeMutablePointer<Float>) {
        (self.inputs, self.outputs, type) = (inputs, outputs, panel_float32)
        self.base = base
    }

    /// Outputs of one panel.
    package static let width = 64

    /// Lays out outputs that begin with a panel.
    package func pack(_ weights: Matrix, _ range: Range<Int>) {
        require(
            weights.rows == outputs && weights.columns == inputs && range.lowerBound % Self.width == 0,
            "outputs \(range) of [\(outputs) x \(inputs)] from \(weights)")
        let first = range.lowerBound
        panel_pack(
            weights.row(first), weights.stride, base + panel_floats(inputs, first, type), inputs, range.count, type)
    }

    /// Lays out W^T in the place of W, whose rows are the inputs: those of `range`.
    package func pack(transposing weights: Matrix, _ range: Range<Int>) {
        require(
            weights.rows == inputs && weights.columns == outputs,
            "inputs \(range) of [\(outputs) x \(inputs)] from \(weights)^T")
        panel_pack_transposed(
            weights.base, weights.stride, base, inputs, outputs, range.lowerBound, range.count)
    }

    /// The rows of x that `places` names, or the first `count`, good for products with weights of this precision and
    /// width. What they need is taken from `space` and stays there.
    package func rows(_ x: Matrix, at places: UnsafePointer<Int32>? = nil, count: Int, _ space: Workspace) -> PanelRows
    {
        require(
            x.columns == inputs && (places != nil || count <= x.rows),
            "[\(outputs) x \(inputs)] times \(count) rows of \(x)")
        return PanelRows(
            panel_rows(x.base, x.stride, places, count, inputs, type, space.take(panel_scratch(count, inputs, type))))
    }

    /// y = p, max(0, p) or y + p, where p = x W^T + bias, or without a bias; see `panel_mode_t`.
    package func product(
        _ x: Matrix, bias: UnsafePointer<Float>?, into y: Matrix, _ space: Workspace, _ mode: panel_mode_t = panel_bias
    ) {
        require(x.rows == y.rows, "[\(outputs) x \(inputs)] times \(x)^T into \(y)")
        let mark = space.mark
        product(rows(x, count: x.rows, space), bias: bias, into: y, count: x.rows, mode)
        space.release(to: mark)
    }

    /// The same for the first `count` rows, row r being row places[r] of y, or r where nil; no two go to the same.
    package func product(
        _ x: PanelRows, bias: UnsafePointer<Float>?, into y: Matrix, at places: UnsafePointer<Int32>? = nil, count: Int,
        _ mode: panel_mode_t = panel_bias
    ) {
        require(x.layout.type == type, "rows and weights of one precision")
        require(
            x.layout.inputs == inputs && y.columns == outputs,
            "[\(outputs) x \(inputs)] times rows of \(x.layout.inputs) into \(y)")
        require(
            count <= x.layout.rows && (places != nil || count <= y.rows), "\(count) of \(x.layout.rows) rows into \(y)")
        require(
            mode != panel_go_on || (bias == nil && places == nil && type == panel_float32),
            "sums go on without bias and places, of floats alone")
        panel_product(x.layout, base, bias, y.base, y.stride, places, count, outputs, mode)
    }

    /// The k largest outputs of each row with their log softmax, best first, ties by lower index. See `panel_top_k`.
    package func best(
        _ k: Int, of x: Matrix, bias: UnsafePointer<Float>, suppressed: [Int32], logProbabilities: inout [Float],
        indices: inout [Int32], _ space: Workspace
    ) {
        require(
            logProbabilities.count >= x.rows * k && indices.count >= x.rows * k, "room for \(x.rows) x \(k) of the best"
        )
        let mark = space.mark, rows = rows(x, count: x.rows, space)
        panel_top_k(
            rows.layout, base, bias, outputs, k, suppressed, suppressed.count, space.take(32 * x.rows),
            &logProbabilities,
            &indices)
        space.release(to: mark)
    }
}

/// Rows laid out for products with `Panels`: good for several of them, as long as what they were made of lasts.
package struct PanelRows {
    fileprivate let layout: panel_rows_t

    package init(_ layout: panel_rows_t) { self.layout = layout }
}
