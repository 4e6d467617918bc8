import Foundation
import Mustache
import Registry
import Stages

/// The report as one HTML file that needs nothing else.
struct Page {
    let html: String

    init(_ evidence: Evidence, figures: [Drawing]) throws {
        let library = MustacheLibrary(templates: [
            "page": try MustacheTemplate(string: PageTemplate.text),
            "figure": try MustacheTemplate(string: PageTemplate.figure),
            "example": try MustacheTemplate(string: PageTemplate.example),
        ])
        html = library.render(try PageContent(evidence, figures), withTemplate: "page") ?? ""
    }
}

/// What the template reads, by name.
struct PageContent {
    struct Drawn {
        let name: String
        let title: String
        let caption: String
        let svg: String
        /// Shrunk to a phone its letters could not be read.
        let isWide: Bool
    }

    struct Absent {
        let title: String
        let reason: String
    }

    struct Tile {
        let value: String
        let label: String
    }

    let title: String
    let subtitle: String
    let style = PageStyle.text
    let script = PageScript.text
    let tiles: [Tile]
    let leaderboard: Leaderboard
    /// Which scores it does not have.
    let leftOut: String?
    let hasScores: Bool
    let figures: [Drawn]
    let further: [Drawn]
    let hasFurther: Bool
    let absent: [Absent]
    let hasAbsent: Bool
    let sentences: [Sentences.Comparison]
    let hasSentences: Bool
    let paper: PaperComparison
    let lineage: Lineage
    let version = Program.version

    init(_ evidence: Evidence, _ drawings: [Drawing]) throws {
        title = evidence.title
        leaderboard = Leaderboard(evidence)
        leftOut = evidence.leftOut.map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }
        hasScores = !leaderboard.rows.isEmpty
        func drawn(isFurther: Bool) -> [Drawn] {
            drawings.compactMap { drawing in
                guard case .drawn(let figure, let svg) = drawing, figure.isFurther == isFurther else { return nil }
                return Drawn(
                    name: figure.name, title: figure.title, caption: figure.caption, svg: svg.inline,
                    isWide: figure.width > 600)
            }
        }
        figures = drawn(isFurther: false)
        further = drawn(isFurther: true)
        hasFurther = !further.isEmpty
        absent = drawings.compactMap { drawing in
            guard case .absent(let title, let reason) = drawing else { return nil }
            return Absent(title: title, reason: reason)
        }
        hasAbsent = !absent.isEmpty
        sentences = try Sentences(evidence).comparisons
        hasSentences = !sentences.isEmpty
        paper = try PaperComparison(evidence)
        lineage = try Lineage(evidence)
        tiles = Self.tiles(evidence)
        let runs = evidence.names.count == 1 ? "one run" : "\(evidence.names.count) runs side by side"
        subtitle = (evidence.testSet.map { "Scores on \($0); " } ?? "") + runs
    }

    /// What a reader wants to know first, each from the leaderboard.
    private static func tiles(_ evidence: Evidence) -> [Tile] {
        let search = evidence.searches.first ?? ""
        let teacher = evidence.teachers.first { $0.search == search }
        let models = evidence.replaced.filter { $0.search == search && $0.model.layer == nil }
        func best(_ groups: [ScoreGroup]) -> ScoreGroup? {
            groups.max { ($0.mean(\.difference) ?? -99) < ($1.mean(\.difference) ?? -99) }
        }
        func tile(_ group: ScoreGroup?, _ label: (ScoreGroup) -> String) -> Tile? {
            guard let group, let difference = group.mean(\.difference) else { return nil }
            let p =
                group.members.count == 1
                ? group.p.map { ", p \(Phrasing.p($0))" } ?? "" : ", mean of \(group.members.count) runs"
            return Tile(value: Phrasing.difference(difference), label: label(group) + p)
        }
        let everything = best(models.filter { $0.model.places == "all attentions" })
        return [
            teacher.flatMap { group in
                group.mean(\.bleu).map {
                    Tile(
                        value: String(format: "%.2f", $0),
                        label: "BLEU of the teacher, \(search)"
                            + (evidence.hasSeveralSeries ? ": \(group.series)" : ""))
                }
            },
            tile(best(models)) { "BLEU at best: \(evidence.label($0)) at \($0.model.places)" },
            tile(everything) { "BLEU with all attentions replaced, at best: \(evidence.label($0))" },
            models.isEmpty
                ? nil
                : Tile(
                    value: "\(models.count)", label: models.count == 1 ? "replaced model" : "replaced models, \(search)"
                ),
            Tile(
                value: Format.duration(evidence.runs.compactMap(\.wallSeconds).reduce(0, +)),
                label: "of work in \(evidence.runs.count) stage runs"),
        ].compactMap { $0 }
    }
}
