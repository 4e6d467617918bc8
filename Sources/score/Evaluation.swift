import Corpus
import Foundation
import Models
import Registry
import Scoring
import Stages
import Tensors
import Training

/// Translations of a test set with their scores.
struct Evaluation {
    static let hypothesesName = "hypotheses.txt"
    static let scoresName = "scores.json"

    let hypotheses: [String]
    let references: [String]
    let report: ScoreReport
    let bleu: BLEUScore
    let paperCompat: Double
    private let trials: Int

    /// - Parameters:
    ///   - references: the references as model tokens, for `paper-compat`
    ///   - texts: the references as they were written
    init(
        _ found: [Hypothesis], _ model: ModelFolder, references: TokenSequences, texts: [String], resamples: Int
    ) throws {
        hypotheses = found.map { model.target.decode($0.ids.map { Int($0) }) }
        self.references = texts
        trials = resamples
        report = try ScoreReport(
            hypotheses: hypotheses, references: [texts],
            bootstrap: resamples > 1 ? Bootstrap(resamples: resamples) : nil)
        bleu = try BLEU().score(hypotheses: hypotheses, references: texts)
        paperCompat = try PaperCompatBLEU.score(
            hypotheses: found.map { Self.marked($0.ids) },
            references: (0..<references.count).map { Self.marked(references[$0]) })
    }

    /// `<s>` and `</s>` count as tokens there.
    private static func marked(_ ids: some Sequence<Int32>) -> [Int32] {
        [SpecialToken.start] + ids + [SpecialToken.end]
    }

    func write(to folder: OutputFolder) throws {
        try FileSystem.writeAtomically(
            Data(hypotheses.map { $0 + "\n" }.joined().utf8), to: folder.path(Self.hypothesesName))
        try FileSystem.writeAtomically(Data((report.json() + "\n").utf8), to: folder.path(Self.scoresName))
    }

    /// The report of a complete folder, as JSON.
    static func scores(in folder: String) throws -> String {
        let path = try PublishedFolder<ScoreConfiguration>(folder, stage: Score.stage).file(scoresName)
        return String(decoding: try FileSystem.read(path), as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    func record(_ run: StageRun, testSet: String) {
        for entry in report.entries {
            let isBLEU = entry.name == "BLEU"
            run.score(
                Registry.Score(
                    metric: entry.name, testSet: testSet, value: entry.score, signature: entry.signature.description,
                    brevityPenalty: isBLEU ? bleu.brevityPenalty : nil,
                    systemLength: isBLEU ? bleu.hypothesisLength : nil,
                    referenceLength: isBLEU ? bleu.referenceLength : nil, precisions: isBLEU ? bleu.precisions : nil,
                    confidence: entry.confidence?.halfWidth))
        }
        run.score(Registry.Score(metric: "paper-compat", testSet: testSet, value: paperCompat))
    }

    private static func hypotheses(of base: PublishedFolder<ScoreConfiguration>) throws -> [String] {
        let path = try base.file(hypothesesName)
        return try SegmentLines.split(Data(FileSystem.read(path)), path: path)
    }

    /// A score to compare with.
    struct Base {
        let folder: PublishedFolder<ScoreConfiguration>
        let hypotheses: [String]
    }

    /// Opens a score folder before anything is translated: it must be of the same text, which is more than of as many
    /// sentences.
    static func base(_ path: String, count: Int, text: TestText) throws -> Base {
        let base = try PublishedFolder<ScoreConfiguration>(path, stage: Score.stage)
        let hypotheses = try hypotheses(of: base), file = FilePath.join(path, hypothesesName)
        guard hypotheses.count == count else {
            throw DataError(
                path: file, expected: "\(count) translations of the same sentences", found: "\(hypotheses.count)",
                hint: "score both on the same split")
        }
        guard base.configuration.text == text else {
            throw DataError(
                path: file, expected: "translations of the same text, \(text)",
                found: base.configuration.text.map { "of \($0)" } ?? "of one that is not recorded",
                hint: "score both on the same tokens")
        }
        return Base(folder: base, hypotheses: hypotheses)
    }

    /// Tests the difference to the translations of another score, which must be of the same sentences, records it and
    /// returns a line that says so; without resamples there is none.
    func recordDifference(to base: Base, testSet: String, _ run: StageRun) throws -> String? {
        guard trials > 0 else { return nil }
        let test = PairedTest(.bootstrap, trials: trials), result = try compare(test, with: base.hypotheses)
        run.significance(
            Significance(
                base: base.folder.publication.sha256, metric: "BLEU", testSet: testSet, method: test.method.rawValue,
                trials: test.trials, seed: test.seed, p: result.system.p ?? 1))
        return test.line(BLEU(), result, base.folder.path, references: 1)
    }

    /// Where BLEU does not differ there is nothing to be tested, and p is 1: of a difference of nothing the resamples
    /// say anything down to the least p, which is what comes out where none of them differs either.
    func compare(_ test: PairedTest, with baseline: [String]) throws -> PairedResult {
        var result = try test.compare(BLEU(), baseline: baseline, system: hypotheses, references: [references])
        if result.absoluteDifference == 0 { result.system.p = 1 }
        return result
    }
}
