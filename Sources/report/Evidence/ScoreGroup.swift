import Foundation
import Registry

/// A model's score with one way of searching, once for each seed.
struct ScoreGroup {
    /// The run's name without its seed.
    let series: String
    let model: ModelName
    let search: String
    /// Its name, with what tells its text from others of that name where there are others.
    let testSet: String
    /// One of each run, in the order in which the runs were given.
    let members: [ScoredModel]

    /// With all its attentions, and not one that came of others: greedy may have kept none of its networks.
    var isTeacher: Bool { members[0].replaced == 0 && (members[0].base == nil || model.text == "teacher") }
    var first: ScoredModel { members[0] }
    var isGreedy: Bool { Self.isGreedy(search) }

    /// Whatever is said of the length or of `<unk>`, with products of float32.
    static func isGreedy(_ search: String) -> Bool {
        let parts = search.split(separator: ".")
        return parts.first == "greedy" && parts.last != "int8" && parts.last != "mixed"
    }

    func mean(_ value: (ScoredModel) -> Double?) -> Double? { members.compactMap(value).mean }

    /// Of one run: the mean of several p would be none.
    var p: Double? { members.count == 1 ? first.p : nil }

    /// The way of searching of what its BLEU is compared with, where that is another.
    var otherSearch: String? { members.compactMap(\.baseSearch).first { $0 != search } }

    /// Standard deviation over seeds; nil of one.
    func spread(_ value: (ScoredModel) -> Double?) -> Double? {
        let values = members.compactMap(value)
        guard values.count > 1, let mean = mean(value) else { return nil }
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// A run's name without `.seed-N`.
    static func series(_ name: String) -> String {
        guard let mark = name.range(of: ".seed-", options: .backwards), Int(name[mark.upperBound...]) != nil else {
            return name
        }
        return String(name[..<mark.lowerBound])
    }

    /// Rows that differ in the seed alone become one: by test set in the order of the rows, and the best BLEU first.
    static func groups(_ rows: [ScoredModel], names: [String]) -> [ScoreGroup] {
        // early scores have not recorded their text; where there is but one it is taken to be theirs
        let texts = Dictionary(grouping: rows, by: \.testSet).mapValues { Set($0.compactMap(\.testText)) }
        func testSet(_ row: ScoredModel) -> String {
            row.testSet + (texts[row.testSet]!.count > 1 ? " (\(row.testText ?? "text not recorded"))" : "")
        }
        let groups = rows.grouped {
            [series($0.name), $0.model, $0.search ?? "", testSet($0)].joined(separator: "\n")
        }.map { _, members in
            let all = members.sorted { names.firstIndex(of: $0.name)! < names.firstIndex(of: $1.name)! }
            return ScoreGroup(
                series: series(all[0].name), model: ModelName(all[0]), search: all[0].search ?? "",
                testSet: testSet(all[0]), members: all)
        }
        return groups.grouped(by: \.testSet).flatMap { _, groups in
            groups.sorted { ($0.mean(\.bleu) ?? 0) > ($1.mean(\.bleu) ?? 0) }
        }
    }
}
