import Foundation
import Registry
import Stages

/// The scores of all models, best BLEU first.
struct Leaderboard {
    struct Column {
        let title: String
        let isNumber: Bool
        let explanation: String
    }

    struct Cell {
        let text: String
        /// What the table is sorted by: a number where the text is one.
        let sort: String
        let isNumber: Bool
    }

    struct Row {
        let run: Int64
        let isTeacher: Bool
        /// The model's name in pieces, between which a line may break.
        let parts: [String]
        let cells: [Cell]
    }

    let columns: [Column]
    let rows: [Row]
    /// Of BLEU, each once.
    let signatures: [String]
    private let groups: [ScoreGroup]

    init(_ evidence: Evidence) {
        groups = evidence.groups
        signatures = groups.flatMap(\.members).grouped(by: \.signature).map(\.key)
        let hasTestSets = Set(groups.map(\.testSet)).count > 1
        let hasSeeds = groups.contains { $0.members.count > 1 }
        columns =
            [
                Column(
                    title: "Search", isNumber: false,
                    explanation: "greedy, or the width of the beam; int8, mixed: what products are made of"),
                Column(title: "Replaced", isNumber: true, explanation: "attentions replaced"),
                Column(title: "Parameters", isNumber: true, explanation: "numbers of the whole model"),
                Column(title: "BLEU", isNumber: true, explanation: "sacreBLEU’s, detokenised"),
                hasSeeds
                    ? Column(
                        title: "± sd", isNumber: true,
                        explanation: "standard deviation over seeds, and how many; of one seed half the 95% interval")
                    : Column(title: "± 95%", isNumber: true, explanation: "half the bootstrap interval of BLEU"),
                Column(
                    title: "Difference", isNumber: true,
                    explanation: "BLEU less the teacher’s with the same search, or with the one named"),
                Column(title: "p", isNumber: true, explanation: "of the difference, paired bootstrap"),
                Column(title: "chrF2", isNumber: true, explanation: "character n-gram F-score"),
                Column(title: "paper-compat", isNumber: true, explanation: "the paper’s own figure, 0 to 1"),
                Column(title: "Tokens/s", isNumber: true, explanation: "put out while scoring"),
            ]
            + (hasTestSets
                ? [Column(title: "Test set", isNumber: false, explanation: "corpus, languages and part")] : [])
        rows = groups.map { group in
            let model = (evidence.hasSeveralSeries ? group.series + "/" : "") + group.first.model
            let parts = model.split(separator: "+").map(String.init)
            return Row(
                run: group.first.run, isTeacher: group.isTeacher,
                parts: parts.enumerated().map { $0 + 1 < parts.count ? $1 + "+" : $1 },
                cells: Self.cells(group)
                    + (hasTestSets ? [Cell(text: group.testSet, sort: group.testSet, isNumber: false)] : []))
        }
    }

    private static func cells(_ group: ScoreGroup) -> [Cell] {
        func number(_ value: Double?, _ format: String) -> Cell {
            guard let value else { return Cell(text: "", sort: "", isNumber: true) }
            return Cell(text: Phrasing.number(value, format), sort: "\(value)", isNumber: true)
        }
        func count(_ value: Double?) -> Cell {
            Cell(
                text: value.map { Format.count(Int($0.rounded())) } ?? "", sort: value.map { "\($0)" } ?? "",
                isNumber: true)
        }
        func difference(_ group: ScoreGroup) -> Cell {
            let cell = number(group.mean(\.difference), "%+.2f")
            guard let other = group.otherSearch else { return cell }
            return Cell(text: "\(cell.text) to \(other)", sort: cell.sort, isNumber: true)
        }
        func p(_ group: ScoreGroup) -> Cell {
            Cell(text: group.p.map(Phrasing.p) ?? "", sort: group.p.map { "\($0)" } ?? "", isNumber: true)
        }
        let spread = group.spread(\.bleu)
        let uncertainty = spread.map {
            Cell(text: String(format: "%.2f (%d)", $0, group.members.count), sort: "\($0)", isNumber: true)
        }
        return [
            Cell(text: group.search, sort: group.search, isNumber: false),
            count(group.mean { $0.replaced.map(Double.init) }), count(group.mean { $0.parameters.map(Double.init) }),
            number(group.mean(\.bleu), "%.2f"), uncertainty ?? number(group.mean(\.confidence), "%.2f"),
            difference(group), p(group),
            number(group.mean(\.chrf), "%.2f"), number(group.mean(\.paperCompat), "%.4f"),
            count(group.mean(\.tokensPerSecond)),
        ]
    }

    /// For a terminal; nothing where there are no scores.
    var terminal: String {
        guard !rows.isEmpty else { return "" }
        var table = Table(
            .left("model"), .left("search"), .right("replaced"), .right("parameters"), .right("BLEU"), .right("±"),
            .right("difference"), .right("p"),
            .right("chrF2"), .right("paper_compat"), .right("tokens/s"), .left("test_set"))
        for (row, group) in zip(rows, groups) {
            let cells = row.cells.prefix(10).map { $0.text.replacingOccurrences(of: "−", with: "-") }
            table.add(["\(group.series)/\(group.first.model)"] + cells + [group.testSet])
        }
        return "\(table)\n" + signatures.map { "BLEU: \($0)\n" }.joined()
    }
}
