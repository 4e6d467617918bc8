import Foundation
import Tensors

/// A tab-separated table with named columns: lines that begin with `#` are remarks, the first other line is the
/// heading.
struct WordTable {
    struct Row {
        let place: String
        fileprivate let cells: [String: String]

        /// The text of a cell; a dash stands for nothing.
        subscript(column: String) -> String {
            let cell = cells[column] ?? "-"
            return cell == "-" ? "" : cell
        }

        func list(_ column: String) -> Set<String> { Set(self[column].split(separator: ",").map(String.init)) }

        /// The cell as a value of an enumeration; an error names file and line.
        func value<Value: RawRepresentable & CaseIterable>(_ column: String, _: Value.Type = Value.self) throws -> Value
        where Value.RawValue == String {
            guard let value = Value(rawValue: self[column]) else {
                let known = Value.allCases.map { $0.rawValue }.joined(separator: ", ")
                throw DataError(path: place, expected: "one of \(known) for '\(column)'", found: "'\(self[column])'")
            }
            return value
        }
    }

    let rows: [Row]

    /// - Parameter columns: those that must be there.
    init(_ folder: String, _ files: InputFiles, _ name: String, columns: [String]) throws {
        let path = FilePath.join(folder, name)
        guard FileSystem.exists(path) else {
            throw DataError(
                path: path, expected: "a table of the phrasebook", found: "no such file",
                hint: "start in the project's folder, or say where the tables are with --phrasebook", kind: .missing)
        }
        let lines = try files.open("phrasebook \(name)", path).lines.enumerated().filter {
            !$0.element.isEmpty && !$0.element.hasPrefix("#")
        }
        let heading = (lines.first?.element ?? "").split(separator: "\t").map(String.init)
        guard Set(columns).isSubset(of: heading) else {
            let missing = columns.filter { !heading.contains($0) }.joined(separator: ", ")
            throw DataError(
                path: path, expected: "columns \(columns.joined(separator: ", "))", found: "none named \(missing)")
        }
        if let twice = heading.first(where: { name in heading.filter { $0 == name }.count > 1 }) {
            throw DataError(path: path, expected: "columns of different names", found: "'\(Excerpt.line(twice))' twice")
        }
        rows = try lines.dropFirst().map { number, line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == heading.count, !cells.contains("") else {
                throw DataError(
                    path: "\(path):\(number + 1)", expected: "\(heading.count) cells, none empty",
                    found: "\(cells.count)")
            }
            return Row(place: "\(path):\(number + 1)", cells: Dictionary(uniqueKeysWithValues: zip(heading, cells)))
        }
    }
}
