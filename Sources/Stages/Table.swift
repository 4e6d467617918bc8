/// A small table of aligned text:
///
///     layer  parameters  explained
///     0       5,237,728       0.62
public struct Table: CustomStringConvertible {
    public enum Column {
        case left(String), right(String)

        var title: String {
            switch self {
            case .left(let title), .right(let title): title
            }
        }

        func pad(_ text: String, to width: Int) -> String {
            let space = String(repeating: " ", count: width - text.count)
            switch self {
            case .left: return text + space
            case .right: return space + text
            }
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    public init(_ columns: Column...) { self.columns = columns }

    /// A row may be shorter than the heading; the rest is blank.
    public mutating func add(_ cells: String...) { add(cells) }

    public mutating func add(_ cells: [String]) {
        rows.append(
            (cells + Array(repeating: "", count: max(0, columns.count - cells.count))).prefix(columns.count).map { $0 })
    }

    /// Lines without a newline after the last one.
    public var description: String {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let line = columns.indices.map { columns[$0].pad(row[$0], to: widths[$0]) }.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
