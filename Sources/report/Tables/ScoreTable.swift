import Foundation
import Stages

/// The scores of all models for a page of text: a row for each model, and in it every way of searching.
struct ScoreTable {
    private let evidence: Evidence

    init(_ evidence: Evidence) { self.evidence = evidence }

    var markdown: String {
        let searches = evidence.searches
        let columns =
            [("Replaced", false), ("By", false), ("Parameters", true)]
            + searches.flatMap { [("BLEU, \($0)", true), ("p", true)] } + [("chrF2", true)]
        let models = (evidence.teachers + evidence.replaced).grouped { "\($0.series)\n\($0.model.text)" }
        let rows = models.map { row($0.members, searches) }
        let hasSeeds = evidence.groups.contains { $0.members.count > 1 }
        let words =
            "In brackets the difference to the teacher of the same search"
            + (hasSeeds ? ", after ± the standard deviation over seeds." : "; p is of a paired bootstrap test.")
            + " Parameters are those of the whole model; chrF2 is in the order of the searches."
        let signatures = Leaderboard(evidence).signatures.map { "BLEU: `\($0)`" }
        return ([Markdown.table(columns, rows), Documentation.wrapped(words)] + signatures).joined(separator: "\n\n")
    }

    private func row(_ groups: [ScoreGroup], _ searches: [String]) -> [String] {
        let first = groups[0], found = searches.map { search in groups.first { $0.search == search } }
        let scores: [String] = found.flatMap { $0.map(Self.score) ?? ["", ""] }
        let chrf: [String] = found.map { $0?.mean(\.chrf).map { String(format: "%.2f", $0) } ?? "–" }
        let parameters = first.mean { $0.parameters.map(Double.init) }.map { Format.count(Int($0.rounded())) }
        let network = first.isTeacher && !evidence.hasSeveralSeries ? "" : "`\(evidence.label(first))`"
        let place = first.isTeacher ? "nothing: the teacher" : first.model.places
        return [place, network, parameters ?? ""] + scores + [chrf.joined(separator: ", ")]
    }

    /// BLEU with what is around it, and p.
    private static func score(_ group: ScoreGroup) -> [String] {
        let bleu = group.mean(\.bleu).map { String(format: "%.2f", $0) } ?? ""
        let spread = group.spread(\.bleu).map { String(format: " ± %.2f", $0) } ?? ""
        let difference = group.mean(\.difference).map { " (\(Phrasing.difference($0)))" } ?? ""
        let p = group.p.map(Phrasing.p) ?? ""
        return [bleu + spread + difference, p]
    }
}
