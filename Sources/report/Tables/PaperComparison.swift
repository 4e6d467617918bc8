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

    struct Quotation {
        let text: String
        let source: String
    }

    /// A group of the paper's measurements that can be made again here.
    struct Experiment {
        let title: String
        /// What the published code runs for it.
        let paper: String
        /// What was measured here, or what would.
        let here: String
        let difference: String
    }

    struct Result {
        let experiment: String
        let network: String
        let bleu: String
        let difference: String
        let p: String
        let paperCompat: String
    }

    let quotations: [Quotation]
    let setup: [Difference]
    let experiments: [Experiment]
    let results: [Result]
    let hasResults: Bool
    private static let families: Set = ["alr", "alrr", "aslr", "elr"]
    private static let code = "the paper’s published code"
    private static let readme = "README of the published code, github.com/vulus98/Rethinking-attention"

    init(_ evidence: Evidence) throws {
        let settings = try Settings(evidence)
        setup = [
            Difference(
                what: "Score",
                paper:
                    "BLEU from 0 to 1: unsmoothed, of model tokens with <s> and </s> counted, greedy, on the "
                    + "validation set",
                source: Self.code,
                here:
                    "sacreBLEU on \(evidence.testSet ?? "no test set"); the paper’s figure beside it as paper-compat, "
                    + "on the same sentences"
            ),
            Difference(
                what: "Vocabulary", paper: "words that occur at least twice, <unk> for the others",
                source: Self.code, here: settings.vocabulary),
            Difference(
                what: "Teacher",
                paper: "6 + 6 layers, d = 128, 8 heads, dropout 0.1, untied embeddings, Noam schedule, 20 epochs",
                source: Self.code + ", kept here as preset paper",
                here: settings.teacher),
            Difference(
                what: "Distillation",
                paper:
                    "masked squared error, Adam at a rate of 1e-4 (ALR) or 1e-3 (the others), 21 epochs, not shuffled, "
                    + "not validated",
                source: Self.code, here: settings.distillation),
            Difference(
                what: "Sentences", paper: "padded to 50 tokens", source: Self.code,
                here:
                    "\(settings.maxTokens.map { "of at most \($0) tokens" } ?? "length not recorded"); what stands for "
                    + "padding is computed without it, with the same result"
            ),
            Difference(
                what: "Cross-attention",
                paper: "sees the whole target while it learns, which translation does not have",
                source: Self.code,
                here: "cross sees the target up to the position; crossfull is the paper’s"),
        ]
        quotations = Self.quotations
        let models = evidence.replaced.filter { group in
            group.isGreedy && !group.model.isInPlace && !group.model.specs.isEmpty
                && group.model.specs.allSatisfy { Self.families.contains($0.family.name) }
        }
        experiments = Self.all.map { plan in
            let found = models.filter(plan.isPart)
            return Experiment(
                title: plan.title, paper: plan.paper,
                here: found.isEmpty ? "not run; \(plan.command) does" : Self.words(found),
                difference: plan.difference)
        }
        results = Self.all.flatMap { plan in
            models.filter(plan.isPart).map { Self.result(plan.title, $0, evidence.label($0)) }
        }
        hasResults = !results.isEmpty
    }

    private static let quotations = [
        Quotation(
            text:
                "Our experiments, conducted on the IWSLT2017 dataset, reveal the capacity of these \"attentionless "
                + "Transformers\" to rival the performance of the original architecture.",
            source: "abstract, arXiv 2311.10642, version 4"),
        Quotation(
            text:
                "In particular, the XS network reduces the BLEU score of the transformer, while as the number of "
                + "parameter grows, so does the BLEU up to saturation with the L network.",
            source: readme),
        Quotation(
            text: "Currently, only the `ALR` supports substitution in the decoder layer.", source: readme),
    ]

    private struct Plan {
        let title: String
        let paper: String
        let command: String
        let difference: String
        let isPart: (ScoreGroup) -> Bool
    }

    private static func places(_ group: ScoreGroup) -> Set<Attention> {
        Set(group.model.specs.map(\.attention.captured))
    }

    private static let all = [
        Plan(
            title: "Encoder self-attention, all layers",
            paper:
                "ALR, ALRR, ALSR and ELR in sizes from XS to L, each trained for every layer and put into all of them",
            command: "make -f pipeline.mk paper ATTENTIONS=encoder",
            difference: "ALSR is called aslr here; the test set is translated, and not the validation set",
            isPart: { places($0) == [.encoder] && $0.model.isOfAllLayers }),
        Plan(
            title: "Decoder self-attention, all layers", paper: "ALR in sizes from XS to L",
            command: "make -f pipeline.mk paper ATTENTIONS=decoder MODES=alr",
            difference: "the test set is translated, and not the validation set",
            isPart: { places($0) == [.decoder] && $0.model.isOfAllLayers }),
        Plan(
            title: "Cross-attention, all layers", paper: "ALR in sizes from XS to L",
            command: "make -f pipeline.mk paper ATTENTIONS=\"cross crossfull\" MODES=alr",
            difference: "crossfull sees the whole target in training, as there; cross sees what translation has",
            isPart: { places($0) == [.cross] && $0.model.isOfAllLayers }),
        Plan(
            title: "Several attentions at once",
            paper: "options for encoder, decoder and cross-attention that can be given together",
            command: "make -f pipeline.mk paper MODES=alr",
            difference: "encoder and decoder; all three",
            isPart: { places($0).count > 1 && $0.model.isOfAllLayers }),
        Plan(
            title: "Some of the layers", paper: "an option that says which of the six layers are replaced",
            command: "make -f pipeline.mk LAYERS=\"0 1 2 3 4 5\"",
            difference: "of the networks that were trained for all layers, those of some stand in the model",
            isPart: { !$0.model.isOfAllLayers }),
    ]

    private static func words(_ groups: [ScoreGroup]) -> String {
        let differences = groups.compactMap { $0.mean(\.difference) }
        let models = groups.count == 1 ? "one model" : "\(groups.count) models"
        guard let least = differences.min(), let most = differences.max() else { return models }
        return models + ", BLEU less the teacher’s "
            + (groups.count == 1 ? "" : "from \(Phrasing.difference(least)) to ")
            + Phrasing.difference(most)
    }

    private static func result(_ experiment: String, _ group: ScoreGroup, _ label: String) -> Result {
        Result(
            experiment: experiment,
            network: label + " at " + group.model.places,
            bleu: group.mean(\.bleu).map { String(format: "%.2f", $0) } ?? "",
            difference: group.mean(\.difference).map(Phrasing.difference) ?? "",
            p: group.p.map(Phrasing.p) ?? "",
            paperCompat: group.mean(\.paperCompat).map { String(format: "%.4f", $0) } ?? "")
    }

    /// What the configurations of these runs say.
    private struct Settings {
        var vocabulary = "not recorded"
        var teacher = "not trained in these runs"
        var distillation = "none in these runs"
        /// Nil where no run says so.
        var maxTokens: Int?

        init(_ evidence: Evidence) throws {
            func configurations(_ stage: String) -> [[String: Any]] {
                evidence.finished(stage).compactMap {
                    try? JSONSerialization.jsonObject(with: Data($0.config.utf8)) as? [String: Any]
                }
            }
            func value(_ object: [String: Any]?, _ path: String) -> Any? {
                path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
            }
            func text(_ object: [String: Any]?, _ path: String) -> String { value(object, path).map { "\($0)" } ?? "?" }
            func peakRates(_ objects: [[String: Any]]) -> String {
                Set(objects.compactMap { value($0, "values.training.schedule.peak") as? Double }).sorted()
                    .map { String(format: "%g", $0) }.joined(separator: ", ")
            }
            /// What runs differ in is told of each.
            func distinct(_ texts: [String]) -> String { texts.grouped { $0 }.map(\.key).joined(separator: "; ") }
            let tokens = configurations("tokenize")
            if !tokens.isEmpty {
                vocabulary = distinct(
                    tokens.map {
                        "\(text($0, "vocabulary.kind")), \(text($0, "vocabulary.size")) entries"
                            + (value($0, "joint") as? Bool == true ? ", shared" : "")
                    })
                maxTokens = tokens.compactMap { value($0, "filter.maxTokens") as? Int }.max()
            }
            let teachers = evidence.finished("train").filter { $0.spec == nil }
            let described = try teachers.compactMap { run -> String? in
                guard let model = (try? JSONSerialization.jsonObject(with: Data(run.config.utf8))) as? [String: Any]
                else { return nil }
                let shape = "values.model."
                let settings =
                    "\(text(model, shape + "encoderLayers")) + \(text(model, shape + "decoderLayers")) layers, d = "
                    + "\(text(model, shape + "width")), \(text(model, shape + "heads")) heads, dropout "
                    + "\(text(model, shape + "residualDropout")), tied: \(text(model, shape + "tying")), "
                    + "\(text(model, "values.training.schedule.shape")) schedule, peak rate "
                    + "\(peakRates([model])), batches of \(text(model, "values.teacher.batchTokens")) target tokens, "
                    + "\(text(model, "values.training.epochs")) epochs at most (preset \(text(model, "preset")))"
                let start = try evidence.registry.uses(by: [run.id]).first { $0.role == "model" }
                return settings + (start.map { ", trained further from \($0.path ?? "a model")" } ?? "")
            }
            if !described.isEmpty { teacher = distinct(described) }
            let distilled = configurations("distill")
            if !distilled.isEmpty {
                let epochs = Set(distilled.compactMap { value($0, "values.training.epochs") as? Int }).sorted().map(
                    String.init
                ).joined(separator: ", ")
                let orders = Set(distilled.compactMap { value($0, "values.distillation.shuffles") as? Bool })
                let shuffled = orders == [false] ? "not shuffled" : orders.count > 1 ? "some shuffled" : "shuffled"
                distillation =
                    "squared error over real tokens, peak rate \(peakRates(distilled)), at most \(epochs) epochs, "
                    + "\(shuffled), validated after every epoch, best weights kept"
            }
        }
    }
}
