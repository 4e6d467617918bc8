import Corpus
import Foundation
import Registry
import Scoring
import Tensors
import Training

/// The translations of scores, where their folders are still what the registry says they were. A folder that is gone,
/// or made anew, has none; one whose files are not what its manifest says is an error.
final class Translations {
    /// A test set: source and reference of each sentence.
    struct Text {
        let source: [String]
        let references: [String]
    }

    private struct ScoreSettings: Codable { let split: Split }

    private let runs: [Int64: RecordedRun]
    private let uses: [Int64: [Use]]
    private let registry: RunRegistry
    private var hypotheses: [Int64: [String]?] = [:]
    private var texts: [String: Text?] = [:]
    private var statistics: [Int64: [StatisticsRow]?] = [:]

    init(_ registry: RunRegistry, _ rows: [ScoredModel]) throws {
        self.registry = registry
        let ids = Set(rows.map(\.run) + rows.compactMap(\.base))
        runs = Dictionary(uniqueKeysWithValues: try registry.runs(ids).map { ($0.id, $0) })
        uses = Dictionary(grouping: try registry.uses(by: ids), by: \.run)
    }

    /// Translations of a score's run; nil where its folder is gone or holds something else by now.
    func hypotheses(_ run: Int64) throws -> [String]? {
        if let known = hypotheses[run] { return known }
        let found: [String]? = try folder(run).map { folder in
            let path = try folder.file("hypotheses.txt")
            return try SegmentLines.split(Data(FileSystem.read(path)), path: path)
        }
        hypotheses[run] = found
        return found
    }

    /// What was translated, and its references.
    func text(_ run: Int64) throws -> Text? {
        guard let use = uses[run]?.first(where: { $0.role == "tokens" }),
            let split = try folder(run)?.configuration.split
        else { return nil }
        let key = "\(use.sha256).\(split)"
        if let known = texts[key] { return known }
        let found: Text? = try place(use.path, use.sha256).map { path in
            let tokens = try TokenFolder(path: path)
            return Text(source: try tokens.lines(split, .source), references: try tokens.lines(split, .target))
        }
        texts[key] = found
        return found
    }

    /// The interval that holds 95% of the differences in BLEU between a model and what it was compared with, over
    /// resampled test sets. Nil where one of the two has no texts any more.
    func interval(_ row: ScoredModel) throws -> ClosedRange<Double>? {
        guard let base = row.base, let own = try bleuStatistics(row.run), let other = try bleuStatistics(base),
            own.count == other.count
        else { return nil }
        return Bootstrap().difference(BLEU(), baseline: other, system: own)
    }

    /// Which tokens a score's model reads; nil where its folder has no maps, or is gone.
    func maps(_ run: Int64) throws -> SentenceMaps? { try folder(run).flatMap { try SentenceMaps($0) } }

    private func bleuStatistics(_ run: Int64) throws -> [StatisticsRow]? {
        if let known = statistics[run] { return known }
        let found: [StatisticsRow]? = try hypotheses(run).flatMap { own in
            try text(run).map { try BLEU().statistics(hypotheses: own, references: $0.references) }
        }
        statistics[run] = found
        return found
    }

    private func folder(_ run: Int64) throws -> PublishedFolder<ScoreSettings>? {
        guard let record = runs[run], let sha256 = record.outputSHA256, let path = record.outputFolder(in: registry),
            (try? ManifestFile.sha256(folder: path)) == sha256
        else { return nil }
        return try PublishedFolder(path, stage: "score")
    }

    private func place(_ path: String?, _ sha256: String) -> String? {
        guard let path = path.map(registry.onDisk), (try? ManifestFile.sha256(folder: path)) == sha256 else {
            return nil
        }
        return path
    }
}
