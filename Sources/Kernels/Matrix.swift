import CKernels

// Dimensions, named once. `rows` are tokens of a batch, packed: sentences follow one another and nothing is padded.
// d: model width. head: width of one attention head. n, m: tokens of one sentence on the query and the key side.

/// A row-major view of floats that somebody else owns.
public struct Matrix: BitwiseCopyable {
    public let base: UnsafeMutablePointer<Float>
    public let rows: Int
    public let columns: Int
    /// Floats from one row to the next; larger than `columns` for a view of some columns of a wider matrix.
    public let stride: Int

    public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    public var count: Int { rows * columns }
    public var isContiguous: Bool { stride == columns }

    public subscript(row: Int, column: Int) -> Float {
        get { base[row * stride + column] }
        nonmutating set { base[row * stride + column] = newValue }
    }

    public func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }

    /// Rows `range` of this matrix.
    public func rows(_ range: Range<Int>) -> Matrix {
        require(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(self)")
        return Matrix(base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// Columns `range` of this matrix, with its row stride.
    public func columns(_ range: Range<Int>) -> Matrix {
        require(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(self)")
        return Matrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    public func fill(_ value: Float) {
        for r in 0..<rows { row(r).update(repeating: value, count: columns) }
    }

    public func copy(from other: Matrix) {
        require(rows == other.rows && columns == other.columns, "copy \(other) into \(self)")
        for r in 0..<rows { row(r).update(from: other.row(r), count: columns) }
    }
}

extension Matrix: CustomStringConvertible {
    public var description: String { "[\(rows) x \(columns)]" }
}

/// Checks what only a programmer can get wrong; unlike `precondition` it keeps its text in release builds.
@inlinable
public func require(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}
