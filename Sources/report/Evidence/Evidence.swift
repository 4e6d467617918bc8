import Foundation
import Registry
import Tensors

/// What the registry knows of the runs that a report is about.
struct Evidence {
    let registry: RunRegistry
    let names: [String]
    /// The leaderboard, seeds together.
    let groups: [ScoreGroup]
    /// Scores that are left out of it: their teacher has been made anew, and they have not.
    let outdated: [ScoredModel]
    /// Every run of these names.
    let runs: [RecordedRun]
    /// The texts that scores left behind.
    let translations: Translations

    init(_ registry: RunRegistry, _ names: [String]) throws {
        self.registry = registry
        self.names = names
        runs = try registry.runs(of: names)
        let deleted = Set(runs.filter { Self.isDeleted($0, registry) }.map(\.id))
        let all = try registry.leaderboard(of: names).filter { !deleted.contains($0.run) },
            rows = all.filter { !$0.isOutdated }
        outdated = all.filter(\.isOutdated)
        groups = ScoreGroup.groups(rows, names: names)
        translations = try Translations(registry, groups.flatMap(\.members))
    }

    /// A score whose folder was deleted from a run that is still there is history, and no result. Of a registry that
    /// came without its runs all scores count.
    private static func isDeleted(_ run: RecordedRun, _ registry: RunRegistry) -> Bool {
        guard run.stage == "score", let folder = run.outputFolder(in: registry) else { return false }
        return !FileSystem.exists(folder)
            && FileSystem.isFolder(FilePath.join(FilePath.parent(registry.path), run.name))
    }

    func requireRuns(_ path: String) throws {
        for name in names where !runs.contains(where: { $0.name == name }) {
            let scores = FilePath.join(FilePath.join(FilePath.parent(path), name), "score")
            let again = FileSystem.isFolder(scores) ? "; to score again: rm -r \(FilePath.quoted(scores))" : ""
            throw DataError(
                path: path, expected: "runs of the name '\(name)'", found: "none",
                hint: "sqlite3 \(FilePath.quoted(path)) 'select distinct name from runs'" + again, kind: .missing)
        }
    }

    /// What is not shown, in words.
    var leftOut: String? {
        outdated.first.map {
            "scores beside an earlier teacher are left out (\(outdated.count)), such as \($0.name)/\($0.model); the "
                + "goal that made them makes them again"
        }
    }

    /// The name of the whole: the first run's, without its seed.
    var title: String {
        let known = groups.isEmpty ? names.map(ScoreGroup.series) : groups.map(\.series)
        return names.map(ScoreGroup.series).filter { known.contains($0) }.grouped { $0 }.map(\.key)
            .joined(separator: ", ")
    }

    /// More runs than seeds of one.
    var hasSeveralSeries: Bool { Set(names.map(ScoreGroup.series)).count > 1 }

    /// Ways of searching on `testSet`, the one with the most rows first; of as many, greedy.
    var searches: [String] {
        let counts = Dictionary(grouping: groups.filter { $0.testSet == testSet }, by: \.search).mapValues(\.count)
        func order(_ search: String) -> (Int, Int, String) {
            (-counts[search]!, ScoreGroup.isGreedy(search) ? 0 : 1, search)
        }
        return counts.keys.sorted { order($0) < order($1) }
    }

    /// The test set with the most scores: figures compare like with like.
    var testSet: String? {
        let counts = Dictionary(grouping: groups, by: \.testSet).mapValues(\.count)
        return counts.keys.min { (-counts[$0]!, $0) < (-counts[$1]!, $1) }
    }

    var teachers: [ScoreGroup] { groups.filter { $0.isTeacher && $0.testSet == testSet } }

    /// Replaced models in the order of the figures.
    var replaced: [ScoreGroup] {
        groups.filter { !$0.isTeacher && $0.testSet == testSet }.sorted { a, b in
            let (first, second) = (a.model.order, b.model.order)
            if first != second { return first.lexicographicallyPrecedes(second) }
            return (a.first.parameters ?? 0, a.model.text, a.series) < (b.first.parameters ?? 0, b.model.text, b.series)
        }
    }

    /// A name for a model of these runs: with its run where there are several.
    func label(_ group: ScoreGroup) -> String { (hasSeveralSeries ? group.series + ": " : "") + group.model.network }

    /// The newest finished run of each spec of a stage.
    func finished(_ stage: String) -> [RecordedRun] {
        let finished = runs.filter { $0.stage == stage && $0.status == "finished" }
        let newest = Set(finished.grouped { $0.name + "\n" + ($0.spec ?? "") }.map { $0.members.last!.id })
        return finished.filter { newest.contains($0.id) }
    }
}
