import Foundation
import Tensors

/// Results for the documentation catalogue: tables between two marks of Results.md, and figures as files beside it,
/// where DocC, which knows a picture by its name alone, and whatever shows Markdown both find them.
struct Documentation {
    static let begin = "<!-- results: begin -->", end = "<!-- results: end -->"
    private static let columns = 118
    /// Figures that say something of a run that is described there; of the maps, that of cross-attention.
    private static let names = [
        "bleu-parameters", "bleu-difference", "single-layers", "teacher-curve", "distillation-cross", "in-place-curve",
        "explained", "map-overlap",
    ]

    let evidence: Evidence
    let catalogue: String

    init(_ evidence: Evidence, catalogue: String) {
        self.evidence = evidence
        self.catalogue = catalogue
    }

    func write() throws {
        let article = FilePath.join(catalogue, "Results.md")
        let text = String(decoding: try FileSystem.read(article), as: UTF8.self)
        guard let start = text.range(of: Self.begin), let stop = text.range(of: Self.end),
            start.upperBound <= stop.lowerBound
        else {
            throw DataError(
                path: article, expected: "a line \(Self.begin) and, further on, \(Self.end)", found: "not both",
                hint: "write the two lines where the tables shall stand")
        }
        let drawn = try draw()
        for (figure, svg) in drawn {
            try FileSystem.writeAtomically(Data(svg.file.utf8), to: FilePath.join(catalogue, figure.name + ".svg"))
        }
        let whole =
            text[..<start.upperBound] + "\n\n" + (try markdown(drawn.map(\.0))) + "\n" + text[stop.lowerBound...]
        try FileSystem.writeAtomically(Data(whole.utf8), to: article)
        print(FilePath.shown(article))
    }

    private func draw() throws -> [(Figure, SVG)] {
        let scratch = NSTemporaryDirectory() + "report-\(getpid())"
        try FileSystem.makeFolder(scratch)
        defer { try? FileSystem.removeFolder(scratch) }
        let drawings = try Figures(evidence).draw(
            where: { figure in
                Self.names.contains(figure.name) || (figure.name.hasPrefix("map-cross-") && !figure.isFurther)
            }, path: { FilePath.join(scratch, $0) })
        return drawings.compactMap { drawing in
            guard case .drawn(let figure, let svg) = drawing else { return nil }
            return (figure, svg)
        }
    }

    private func markdown(_ figures: [Figure]) throws -> String {
        let setup = try PaperComparison(evidence).setup, lineage = try Lineage(evidence)
        func here(_ what: String) -> String { setup.first { $0.what == what }.map(\.here) ?? "" }
        let facts = [
            "run `\(evidence.title)`, made by \(lineage.commits.joined(separator: "; "))",
            "vocabulary: \(here("Vocabulary"))", "teacher: \(here("Teacher"))", "distillation: \(here("Distillation"))",
            "on \(lineage.machines.joined(separator: "; "))",
        ]
        var parts = [
            "### The run", facts.map { Self.wrapped("- " + $0, hanging: "  ") }.joined(separator: "\n"),
            "### Scores", ScoreTable(evidence).markdown,
        ]
        let networks = try Distillations(evidence).networks
        if !networks.isEmpty { parts += ["### Variance explained by each layer", Self.explained(networks)] }
        for figure in figures {
            parts += [
                "### \(figure.title)", "![\(figure.title)](\(figure.name).svg)", Self.wrapped(figure.caption),
            ]
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func explained(_ networks: [Distillations.Network]) -> String {
        let layers = networks.flatMap { $0.layers.map(\.layer) }.max()! + 1
        let lines = networks.map { network in
            ["\(network.attention)", "`\(network.label)`"]
                + (0..<layers).map { layer in
                    network.layers.first { $0.layer == layer }?.explained.map { String(format: "%.2f", $0) } ?? ""
                }
        }
        return Markdown.table(
            [("Attention", false), ("Network", false)] + (0..<layers).map { ("\($0)", true) }, lines)
    }

    /// Lines of at most `columns`, broken at spaces, none of which begins a list.
    static func wrapped(_ text: String, hanging: String = "") -> String {
        var lines: [String] = [], line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty && line.count + 1 + word.count > columns && !["+", "-", "*"].contains(word) {
                lines.append(line)
                line = hanging + word
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return (lines + [line]).joined(separator: "\n")
    }
}

/// Tables as Markdown writes them.
enum Markdown {
    static func table(_ columns: [(title: String, isNumber: Bool)], _ rows: [[String]]) -> String {
        ([columns.map(\.title), columns.map { $0.isNumber ? "---:" : "---" }] + rows).map(line)
            .joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
}
