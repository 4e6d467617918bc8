import Tensors

extension ParallelText {
    /// Reads tab-separated text with a sentence pair on each line, plain, gzip, or the one text file in a zip archive
    /// (as Tatoeba's pairs are shipped).
    ///
    /// - Parameters:
    ///   - sourceColumn, targetColumn: counted from 0; further columns, such as licences, are ignored.
    package init(tsv file: InputFile, sourceColumn: Int = 0, targetColumn: Int = 1) throws {
        self.init()
        let (bytes, name) = try Self.table(file)
        let needed = max(sourceColumn, targetColumn) + 1
        for (index, line) in try TextLines.split(bytes, path: name).enumerated() {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count >= needed else {
                throw DataError(
                    path: "\(name):\(index + 1)", expected: "at least \(needed) columns separated by tabs",
                    found: "\(columns.count)")
            }
            append(source: String(columns[sourceColumn]), target: String(columns[targetColumn]))
        }
    }

    private static func table(_ file: InputFile) throws -> (bytes: [UInt8], name: String) {
        let bytes = try file.content, path = file.path
        guard FileFormat(bytes) == .zip else { return (bytes, path) }
        let archive = try ZipArchive(bytes, path: path)
        let tables = archive.members.filter { member in
            let name = member.name.split(separator: "/").last ?? ""
            return !name.hasPrefix("_") && !name.hasPrefix(".") && (name.hasSuffix(".txt") || name.hasSuffix(".tsv"))
        }
        guard tables.count == 1 else {
            let names = archive.members.map(\.name).joined(separator: ", ")
            throw DataError(
                path: path, expected: "one .txt or .tsv file in the archive", found: names.isEmpty ? "nothing" : names,
                hint: "unpack the archive and name the file")
        }
        return (try archive.content(tables[0]), "\(path)(\(tables[0].name))")
    }
}
