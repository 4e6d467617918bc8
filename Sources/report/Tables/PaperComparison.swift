import Foundation
import Models
import Registry
import Stages

/// The experiments of "Rethinking Attention" (Bozic et al., AAAI 2024) beside these runs: what differs in the set-up,
/// and what was measured for each experiment. Of the paper only what its text or its published code says is given.
struct PaperComparison {
    struct Difference {
        let what: String
        let paper: String
        let source: String
        let here: String
    }

    struct Result {
        let network: String
        let bleu: String
        let difference: String
        let p: String
        let paperCompat: String
    }

    struct Experiment {
        let title: String
        let paper: String
        let results: [Result]
        /// In place of results.
        let reason: String?
    }

    let setup: [Difference]
    let experiments: [Experiment]
    private static let families: Set = ["alr", "alrr", "aslr", "elr"]
    private static let code = "the paper’s published code, kept here as preset paper"

    init(_ evidence: Evidence) {
        let settings = Settings(evidence)
        setup = [
            Difference(
                what: "Score",
                paper:
                    "BLEU from 0 to 1: unsmoothed, of model tokens with <s> and </s> counted, greedy, on the validation set",
                source: "the paper’s published code",
                here:
                    "sacreBLEU on \(evidence.testSet ?? "no test set"); the paper’s figure beside it as paper-compat, on the same sentences"
            ),
            Difference(
                what: "Vocabulary", paper: "words that occur at least twice, <unk> for the others",
                source: "the paper’s published code", here: settings.vocabulary),
            Difference(
                what: "Teacher",
                paper: "6 + 6 layers, d = 128, 8 heads, dropout 0.1, untied embeddings, Noam schedule, 20 epochs",
                source: Self.code,
                here: settings.teacher),
            Difference(
                what: "Distillation",
                paper:
                    "masked squared error, Adam at a rate of 1e-4 (ALR) or 1e-3 (the others), 21 epochs, not shuffled, not validated",
                source: "the paper’s published code", here: settings.distillation),
            Difference(
                what: "Sentences", paper: "padded to 50 tokens", source: "the paper’s published code",
                here:
                    "of at most \(settings.maxTokens) tokens; what stands for padding is computed without it, with the same result"
            ),
            Difference(
                what: "Cross-attention",
                paper: "sees the whole target while it learns, which translation does not have",
                source: "the paper’s published code",
                here: "cross sees the target up to the position; crossfull is the paper’s"),
        ]
        let models = evidence.replaced.filter {
            $0.search == "greedy" && !$0.model.isInPlace && !$0.model.specs.isEmpty
        }
        func experiment(_ title: String, _ paper: String, _ isPart: (ScoreGroup) -> Bool) -> Experiment {
            let rows = models.filter { $0.model.specs.allSatisfy { Self.families.contains($0.family.name) } }.filter(
                isPart)
            let results = rows.map { group in
                Result(
                    network: evidence.label(group).uppercased() + (group.model.layer.map { ", layer \($0)" } ?? "")
                        + " at " + group.model.places,
                    bleu: group.mean(\.bleu).map { String(format: "%.2f", $0) } ?? "",
                    difference: group.mean(\.difference).map(Words.difference) ?? "",
                    p: group.members.count == 1 ? group.first.p.map { String(format: "%.3f", $0) } ?? "" : "",
                    paperCompat: group.mean(\.paperCompat).map { String(format: "%.4f", $0) } ?? "")
            }
            return Experiment(
                title: title, paper: paper, results: results,
                reason: results.isEmpty ? "Not part of these runs: none of the paper’s networks was scored so." : nil)
        }
        func places(_ group: ScoreGroup) -> Set<Attention> { Set(group.model.specs.map(\.attention.captured)) }
        let none = "The paper’s figures are on its own scale, and are not repeated here."
        experiments = [
            experiment("Encoder self-attention, all layers, four modes and sizes", none) {
                places($0) == [.encoder] && $0.model.layer == nil
            },
            experiment("Decoder self-attention, all layers", none) {
                places($0) == [.decoder] && $0.model.layer == nil
            },
            experiment("Cross-attention, all layers", "It found cross-attention the hardest to replace. " + none) {
                places($0) == [.cross] && $0.model.layer == nil
            },
            experiment("Several attentions at once", none) { places($0).count > 1 },
            experiment("One layer at a time", none) { $0.model.layer != nil },
        ]
    }

    /// What the configurations of these runs say.
    private struct Settings {
        var vocabulary = "not recorded"
        var teacher = "not trained in these runs"
        var distillation = "none in these runs"
        var maxTokens = 50

        init(_ evidence: Evidence) {
            func configurations(_ stage: String) -> [[String: Any]] {
                evidence.finished(stage).compactMap {
                    try? JSONSerialization.jsonObject(with: Data($0.config.utf8)) as? [String: Any]
                }
            }
            func value(_ object: [String: Any]?, _ path: String) -> Any? {
                path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
            }
            func text(_ object: [String: Any]?, _ path: String) -> String { value(object, path).map { "\($0)" } ?? "?" }
            if let tokens = configurations("tokenize").last {
                vocabulary =
                    "\(text(tokens, "vocabulary.kind")), \(text(tokens, "vocabulary.size")) entries"
                    + (value(tokens, "joint") as? Bool == true ? ", shared" : "")
                maxTokens = value(tokens, "filter.maxTokens") as? Int ?? 50
            }
            let teachers = evidence.finished("train").filter { $0.spec == nil }
            if let run = teachers.last,
                let model = (try? JSONSerialization.jsonObject(with: Data(run.config.utf8))) as? [String: Any]
            {
                let shape = "values.model."
                teacher =
                    "\(text(model, shape + "encoderLayers")) + \(text(model, shape + "decoderLayers")) layers, d = \(text(model, shape + "width")), "
                    + "\(text(model, shape + "heads")) heads, dropout \(text(model, shape + "residualDropout")), tied: \(text(model, shape + "tying")), "
                    + "\(text(model, "values.training.schedule.shape")) schedule, \(text(model, "values.training.epochs")) epochs at most (preset \(text(model, "preset")))"
            }
            let distilled = configurations("distill")
            if !distilled.isEmpty {
                let epochs = Set(distilled.compactMap { value($0, "values.training.epochs") as? Int }).sorted().map(
                    String.init
                ).joined(separator: ", ")
                let rates = Set(distilled.compactMap { value($0, "values.training.schedule.peak") as? Double }).sorted()
                    .map { String(format: "%g", $0) }.joined(separator: ", ")
                distillation =
                    "the same loss over real tokens, peak rate \(rates), at most \(epochs) epochs, shuffled, validated after every epoch, best weights kept"
            }
        }
    }
}
