import Foundation
import Tensors

/// Results for the documentation catalogue: figures as files of its Resources, and tables between two marks of
/// Results.md.
struct Documentation {
    static let begin = "<!-- results: begin -->", end = "<!-- results: end -->"

    let evidence: Evidence
    let catalogue: String

    init(_ evidence: Evidence, catalogue: String) {
        self.evidence = evidence
        self.catalogue = catalogue
    }

    func write() throws {
        let article = FilePath.join(catalogue, "Results.md"), resources = FilePath.join(catalogue, "Resources")
        let text = String(decoding: try FileSystem.read(article), as: UTF8.self)
        guard let start = text.range(of: Self.begin), let stop = text.range(of: Self.end),
            start.upperBound <= stop.lowerBound
        else {
            throw DataError(
                path: article, expected: "a line \(Self.begin) and, further on, \(Self.end)", found: "not both",
                hint: "write the two lines where the tables shall stand")
        }
        try FileSystem.makeFolder(resources)
        let scratch = NSTemporaryDirectory() + "report-\(getpid())"
        try FileSystem.makeFolder(scratch)
        defer { try? FileSystem.removeFolder(scratch) }
        let drawings = try Figures(evidence).draw { FilePath.join(scratch, $0) }
        for case .drawn(let figure, let svg) in drawings {
            try FileSystem.writeAtomically(Data(svg.file.utf8), to: FilePath.join(resources, figure.name + ".svg"))
        }
        let whole = text[..<start.upperBound] + "\n\n" + markdown(drawings) + "\n" + text[stop.lowerBound...]
        try FileSystem.writeAtomically(Data(whole.utf8), to: article)
        print(FilePath.shown(article))
    }

    private func markdown(_ drawings: [Drawing]) -> String {
        let board = Leaderboard(evidence), test = evidence.testSet.map { " on `\($0)`" } ?? ""
        var parts = ["### Scores", "Run `\(evidence.title)`\(test).", board.markdown]
        parts.append(board.columns.map { "- **\($0.title)**: \($0.explanation)" }.joined(separator: "\n"))
        parts += board.signatures.map { "BLEU: `\($0)`" }
        for case .drawn(let figure, _) in drawings {
            parts += ["### \(figure.title)", "![\(figure.title)](Resources/\(figure.name).svg)", figure.caption]
        }
        return parts.joined(separator: "\n\n") + "\n"
    }
}
