import Corpus
import Foundation
import Models
import Scoring
import Tensors
import Testing
import Training

@testable import score

/// What `score` makes of translations and of another score to compare with.
@Suite struct EvaluationTests {
    private static let run = Result { try TinyRun(layers: 1) }

    @Test func referencesThemselvesArePerfect() throws {
        let run = try Self.run.get()
        let model = try ModelFolder(path: run.path + "/train"), tokens = try TokenFolder(path: run.path + "/tokens")
        let references = try tokens.shard(.test).target
        let found = (0..<references.count).map { index in
            var hypothesis = Hypothesis()
            hypothesis.ids = Array(references[index])
            return hypothesis
        }
        let evaluation = try Evaluation(
            found, model, references: references, texts: try tokens.lines(.test, .target), resamples: 0)
        #expect(evaluation.bleu.score > 99.999 && evaluation.paperCompat == 1)
        #expect(evaluation.hypotheses == (try tokens.lines(.test, .target)))
        // <s> and </s> count as tokens in the paper's figure, so one wrong token of a short text leaves a rest
        var wrong = found
        wrong[0].ids[0] = 0
        let worse = try Evaluation(
            wrong, model, references: references, texts: try tokens.lines(.test, .target), resamples: 0)
        #expect(worse.paperCompat < 1 && worse.paperCompat > 0)
    }

    /// Another word of which there is none in the reference: another translation, the same BLEU, no evidence.
    @Test func noDifferenceInBLEUIsNoEvidence() throws {
        let run = try Self.run.get()
        let model = try ModelFolder(path: run.path + "/train"), tokens = try TokenFolder(path: run.path + "/tokens")
        let references = try tokens.shard(.test).target, texts = try tokens.lines(.test, .target)
        let found = (0..<references.count).map { index in
            var hypothesis = Hypothesis()
            hypothesis.ids = Array(references[index])
            if index == 0 { hypothesis.ids[0] = 0 }  // <unk>
            return hypothesis
        }
        let evaluation = try Evaluation(found, model, references: references, texts: texts, resamples: 50)
        var other = evaluation.hypotheses
        let word = try #require(other[0].split(separator: " ").first)
        other[0] = "zzz" + other[0].dropFirst(word.count)
        #expect(other != evaluation.hypotheses)
        #expect(try evaluation.compare(PairedTest(.bootstrap, trials: 50), with: other).system.p == 1)
        #expect(try evaluation.compare(PairedTest(.bootstrap, trials: 50), with: texts).system.p! < 1)
    }

    @Test func aScoreOfOtherSentencesIsNoBase() throws {
        let run = try Self.run.get()
        try run.score("train", to: "score/test")
        try run.score("train", "--split", "valid", to: "score/valid")
        try run.score("train", "--base", run.path + "/score/test", to: "score/again")
        let error = #expect(throws: DataError.self) {
            try run.score("train", "--base", run.path + "/score/valid", to: "score/other")
        }
        #expect(error?.description.contains("translations of the same") == true)
        #expect(!FileManager.default.fileExists(atPath: run.path + "/score/other/manifest.json"))
    }
}
