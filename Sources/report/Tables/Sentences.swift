import Foundation
import Scoring
import Stages

/// Sentences whose translation changes most when attentions are replaced.
struct Sentences {
    struct Example {
        let number: Int
        let source: String
        let reference: String
        let teacher: String
        let model: String
        let teacherScore: String
        let modelScore: String
        let change: String
    }

    struct Comparison {
        let title: String
        let summary: String
        let losing: [Example]
        let gaining: [Example]
    }

    let comparisons: [Comparison]

    /// Of each replaced model with the most common search, as its first seed translates.
    init(_ evidence: Evidence, each count: Int = 4) throws {
        let groups = evidence.replaced.filter { $0.search == evidence.searches.first && $0.model.layer == nil }
        comparisons = try groups.compactMap { group in
            let translations = evidence.translations
            guard let base = group.first.base, let own = try translations.hypotheses(group.first.run),
                let other = try translations.hypotheses(base),
                let text = try translations.text(group.first.run), own.count == other.count,
                own.count == text.references.count
            else { return nil }
            let (scores, baseScores) = (try Self.chrf(own, text.references), try Self.chrf(other, text.references))
            let changes = own.indices.filter { own[$0] != other[$0] }.map { ($0, scores[$0] - baseScores[$0]) }
            func examples(_ some: ArraySlice<(Int, Double)>) -> [Example] {
                some.map { index, change in
                    Example(
                        number: index + 1, source: text.source[index], reference: text.references[index],
                        teacher: other[index], model: own[index],
                        teacherScore: String(format: "%.1f", baseScores[index]),
                        modelScore: String(format: "%.1f", scores[index]),
                        change: Phrasing.number(change, "%+.1f"))
                }
            }
            let sorted = changes.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            let (worse, better) = (changes.count { $0.1 < 0 }, changes.count { $0.1 > 0 })
            return Comparison(
                title: "\(evidence.label(group)) at \(group.model.places)",
                summary:
                    "\(changes.count) of \(Format.count(own.count)) translations differ from the teacher’s: \(worse) "
                    + "lose chrF2, \(better) gain",
                losing: examples(sorted.filter { $0.1 < 0 }.prefix(count)),
                gaining: examples(sorted.filter { $0.1 > 0 }.reversed().prefix(count)[...]))
        }
    }

    /// Of each sentence by itself.
    private static func chrf(_ hypotheses: [String], _ references: [String]) throws -> [Double] {
        let metric = CHRF()
        return try metric.statistics(hypotheses: hypotheses, references: references).map { metric.score(of: $0).score }
    }
}
