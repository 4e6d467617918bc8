import Foundation
import Tensors

/// The TED talks of the IWSLT evaluations, read from the official archives as they are.
///
/// An archive `de-en.tgz` holds `train.tags.de-en.de` and `.en` and test sets such as
/// `IWSLT17.TED.tst2015.de-en.de.xml` and `.en.xml`. The test sets of 2016 and 2017 were shipped with their source side
/// only; there the archive of the other direction is the reference, so several archives may be given and are read as
/// one.
package struct IWSLTCorpus {
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

    /// - Parameters:
    ///   - archives: `.tgz` files, or folders into which they were unpacked.
    ///   - files: told what is read: an archive as a whole, in a folder each document
    package init(archives: [String], through files: InputFiles) throws {
        self.archives = archives
        documents = try archives.enumerated().flatMap { index, path in
            let found = try Self.documents(in: path, role: "archive \(index + 1)", files)
            guard found.isEmpty else { return found }
            throw DataError(
                path: path, expected: "texts of IWSLT, such as train.tags.en-de.en", found: "none",
                hint: "give an archive such as en-de.tgz, or the folder that it was unpacked to", kind: .missing)
        }
    }

    /// Names of the test sets for which both languages are there, such as `tst2016`, sorted.
    package func testSets(source: String, target: String) -> [String] {
        let names = documents.compactMap { document -> String? in
            let parts = document.name.split(separator: ".")
            return parts.last == "xml" && parts.count >= 4 ? String(parts[parts.count - 4]) : nil
        }
        return Set(names).filter {
            find(".\($0).", source + ".xml", source, target) != nil
                && find(".\($0).", target + ".xml", source, target) != nil
        }.sorted()
    }

    /// The training text. Throws `DataError` where a side is not in the archives (`missing`), or the two have not as
    /// many sentences.
    package func train(source: String, target: String) throws -> ParallelText {
        let (first, second) = try sides("train.tags.", suffixes: (source, target), source, target)
        var text = ParallelText()
        let (a, b) = (
            try Self.taggedLines(first, "source markup", &text), try Self.taggedLines(second, "target markup", &text)
        )
        try Self.requireEqual(a.count, first, b.count, second)
        for (source, target) in zip(a, b) { text.append(source: source, target: target) }
        return text
    }

    /// A test set, such as `tst2015`, whose sides must have the same segments in the same order. Throws as `train`.
    package func test(_ set: String, source: String, target: String) throws -> ParallelText {
        let (first, second) = try sides(".\(set).", suffixes: (source + ".xml", target + ".xml"), source, target)
        let sides = (
            try SegmentReader(first.content, path: first.path), try SegmentReader(second.content, path: second.path)
        )
        let (a, b) = (sides.0.segments, sides.1.segments)
        if let (x, y) = zip(a, b).first(where: { $0.key != $1.key }) {
            throw DataError(
                path: "\(second.path):\(y.line)", expected: "segment \(x.key), as in \(first.path):\(x.line)",
                found: y.key)
        }
        try Self.requireEqual(a.count, first, b.count, second)
        var text = ParallelText()
        text.skip(sides.0.others, "source markup")
        text.skip(sides.1.others, "target markup")
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

    private static func documents(in path: String, role: String, _ files: InputFiles) throws -> [Document] {
        guard FileSystem.isFolder(path) else {
            let archive = try files.open(role, path)
            return try TarArchive(archive.content, path: path).members.compactMap { member in
                document(member.name, path: "\(path)(\(member.name))") { member.content }
            }
        }
        return try FileSystem.files(below: path).compactMap { name in
            let place = FilePath.join(path, name)
            return try document(name, path: place) { try files.open("\(role)/\(name)", place).content[...] }
        }
    }

    /// Reads what is a document by its name. Hidden files are none: `._` before a name is what macOS leaves beside a
    /// file.
    private static func document(
        _ place: String, path: String, content: () throws -> ArraySlice<UInt8>
    ) rethrows -> Document? {
        let parts = place.split(separator: "/").map(String.init)
        guard let name = parts.last, !parts.contains(where: { $0.hasPrefix(".") && $0 != "." && $0 != ".." }),
            !parts.contains("__MACOSX"), name.hasPrefix("train.tags.") || name.hasSuffix(".xml"),
            let pair = name.split(separator: ".").first(where: Self.isPair)
        else { return nil }
        return Document(path: path, name: name, pair: String(pair), content: try content())
    }

    /// The document of one side; one from the wanted direction is preferred to one from the other.
    private func find(_ part: String, _ suffix: String, _ source: String, _ target: String) -> Document? {
        let matching = documents.filter { $0.name.contains(part) && $0.name.hasSuffix("." + suffix) }
        return matching.first { $0.pair == "\(source)-\(target)" }
            ?? matching.first { $0.pair == "\(target)-\(source)" }
    }

    private func sides(
        _ part: String, suffixes: (String, String), _ source: String, _ target: String
    ) throws -> (Document, Document) {
        guard let first = find(part, suffixes.0, source, target), let second = find(part, suffixes.1, source, target)
        else {
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
    private static func requireEqual(_ count: Int, _ first: Document, _ other: Int, _ second: Document) throws {
        guard count != other else { return }
        throw DataError(
            path: second.path, expected: "\(count) sentences, as in \(first.path)", found: "\(other)",
            hint: "fetch both again; sentence pairs must be in step")
    }

    /// Training text: lines of markup (`<url>`, `<title>`, `</doc>` ...) say something about the talk, all others are
    /// its text.
    private static func taggedLines(
        _ document: Document, _ reason: String, _ text: inout ParallelText
    ) throws
        -> [String]
    {
        let lines = try TextLines.split(Array(document.content), path: document.path)
        let sentences = lines.filter { $0.range(of: "^\\s*</?[A-Za-z]+[ >]", options: .regularExpression) == nil }
        text.skip(lines.count - sentences.count, reason)
        return sentences
    }
}
