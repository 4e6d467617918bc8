import Foundation
import Tensors

/// The TED talks of the IWSLT evaluations, read from the official archives as they are.
///
/// An archive `de-en.tgz` holds `train.tags.de-en.de` and `.en` and test sets such as
/// `IWSLT17.TED.tst2015.de-en.de.xml` and `.en.xml`. The test sets of 2016 and 2017 were shipped with their source side only;
/// there the archive of the other direction is the reference, so several archives may be given and are read as one.
public struct IWSLTCorpus {
    private struct Document {
        /// Where it is, for errors.
        let path: String
        /// Its own name, without folders.
        let name: String
        /// Direction of translation in its name, such as `en-de`.
        let pair: String
        let content: ArraySlice<UInt8>
    }

    private let archives: [String]
    private let documents: [Document]

    /// - Parameter archives: `.tgz` files, or folders into which they were unpacked.
    public init(archives: [String]) throws {
        self.archives = archives
        documents = try archives.flatMap { try Self.files(in: $0) }.compactMap { path, name, content in
            guard name.hasPrefix("train.tags.") || name.hasSuffix(".xml") else { return nil }
            guard let pair = name.split(separator: ".").first(where: Self.isPair) else { return nil }
            return Document(path: path, name: name, pair: String(pair), content: content)
        }
    }

    /// Names of the test sets for which both languages are there, such as `tst2016`, sorted.
    public func testSets(source: String, target: String) -> [String] {
        let names = documents.compactMap { document -> String? in
            let parts = document.name.split(separator: ".")
            return parts.last == "xml" && parts.count >= 4 ? String(parts[parts.count - 4]) : nil
        }
        return Set(names).filter {
            find(".\($0).", source + ".xml", source, target) != nil && find(".\($0).", target + ".xml", source, target) != nil
        }.sorted()
    }

    public func train(source: String, target: String) throws -> ParallelText {
        let (first, second) = try sides("train.tags.", suffixes: (source, target), source, target)
        let (a, b) = (try Self.taggedLines(first), try Self.taggedLines(second))
        try ParallelText.requireEqual(a.count, first.path, b.count, second.path)
        var text = ParallelText()
        for (source, target) in zip(a, b) { text.append(source: source, target: target) }
        return text
    }

    public func test(_ set: String, source: String, target: String) throws -> ParallelText {
        let (first, second) = try sides(".\(set).", suffixes: (source + ".xml", target + ".xml"), source, target)
        let (a, b) = (try Self.segments(first), try Self.segments(second))
        if let (x, y) = zip(a, b).first(where: { $0.key != $1.key }) {
            throw DataError(path: "\(second.path):\(y.line)", expected: "segment \(x.key), as in \(first.path):\(x.line)", found: y.key)
        }
        try ParallelText.requireEqual(a.count, first.path, b.count, second.path)
        var text = ParallelText()
        for (source, target) in zip(a, b) { text.append(source: source.text, target: target.text) }
        return text
    }
}

// MARK: - Finding documents

extension IWSLTCorpus {
    private static func isPair(_ part: Substring) -> Bool {
        let languages = part.split(separator: "-", omittingEmptySubsequences: false)
        return languages.count == 2 && languages.allSatisfy { $0.count == 2 && $0.allSatisfy { $0.isLowercase } }
    }

    private static func files(in path: String) throws -> [(path: String, name: String, content: ArraySlice<UInt8>)] {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            let names = try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
            return try names.filter { $0.contains("train.tags.") || $0.hasSuffix(".xml") }.map {
                let file = (path as NSString).appendingPathComponent($0)
                return (file, (file as NSString).lastPathComponent, try FileBytes.read(file)[...])
            }
        }
        return try TarArchive(FileBytes.read(path), path: path).members.map {
            ("\(path)(\($0.name))", ($0.name as NSString).lastPathComponent, $0.content)
        }
    }

    /// The document of one side; one from the wanted direction is preferred to one from the other.
    private func find(_ part: String, _ suffix: String, _ source: String, _ target: String) -> Document? {
        let matching = documents.filter { $0.name.contains(part) && $0.name.hasSuffix("." + suffix) }
        return matching.first { $0.pair == "\(source)-\(target)" } ?? matching.first { $0.pair == "\(target)-\(source)" }
    }

    private func sides(
        _ part: String, suffixes: (String, String), _ source: String, _ target: String
    ) throws -> (Document, Document) {
        guard let first = find(part, suffixes.0, source, target), let second = find(part, suffixes.1, source, target) else {
            let what = part.trimmingCharacters(in: ["."])
            let sets = testSets(source: source, target: target)
            throw DataError(
                path: archives.joined(separator: " "), expected: "\(what) in \(source) and \(target)",
                found: sets.isEmpty ? "none" : "only \(sets.joined(separator: ", "))",
                hint: "give the archives of both directions, or other files for this part", kind: .missing)
        }
        return (first, second)
    }
}

// MARK: - Reading documents

extension IWSLTCorpus {
    /// Training text: lines of markup (`<url>`, `<title>`, `</doc>` ...) say something about the talk, all others are its text.
    private static func taggedLines(_ document: Document) throws -> [String] {
        try TextLines.split(Array(document.content), path: document.path)
            .filter { $0.range(of: "^\\s*</?[a-z]+[ >]", options: .regularExpression) == nil }
            .map(trimmed)
    }

    private struct Segment {
        /// Talk and number within it; equal on both sides.
        let key: String
        let text: String
        let line: Int
    }

    /// Test sets: one `<seg id="n"> text </seg>` a line within `<doc docid="n">`.
    private static func segments(_ document: Document) throws -> [Segment] {
        var talk = "?"
        var segments: [Segment] = []
        for (index, line) in try TextLines.split(Array(document.content), path: document.path).enumerated() {
            if let id = attribute("docid", of: "doc", in: line) { talk = id }
            guard let id = attribute("id", of: "seg", in: line) else { continue }
            guard let open = line.range(of: "<seg[^>]*>", options: .regularExpression),
                let close = line.range(of: "</seg>", range: open.upperBound..<line.endIndex)
            else {
                throw DataError(path: "\(document.path):\(index + 1)", expected: "<seg id=…> text </seg> on one line", found: line)
            }
            // A numeric reference may stand for a line feed, but a sentence is one line.
            let text = trimmed(XMLText.decoded(line[open.upperBound..<close.lowerBound]).replacingOccurrences(of: "\n", with: " "))
            segments.append(Segment(key: "\(talk)/\(id)", text: text, line: index + 1))
        }
        return segments
    }

    private static func attribute(_ name: String, of element: String, in line: String) -> String? {
        guard let tag = line.range(of: "<\(element)\\s[^>]*>", options: .regularExpression),
            let value = line[tag].range(of: "\\s\(name)=\"[^\"]*\"", options: .regularExpression)
        else { return nil }
        return line[value].split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
    }
}
