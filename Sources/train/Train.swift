import ArgumentParser
import Corpus
import Foundation
import Kernels
import Models
import Stages
import Tensors
import Training

@main
struct Train: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a translation Transformer, the teacher of what follows.",
        discussion: """
            Reads a folder made by `tokenize` and writes weights, vocabularies and a manifest. The validation loss is measured
            after every epoch; the result is the average of the best epochs, or the best one alone. Stopped or killed, it goes
            on from its last checkpoint when the same command is given again, and ends with the same bits.

            A preset gives every value; each can be overridden:
              paper   the settings of "Rethinking Attention" (Bozic et al. 2024): untied, dropout 0.1, Noam, 20 epochs
              small   for corpora of less than 100,000 pairs

            Examples:
              train --tokens runs/demo/tokens --output runs/demo/train
              train --tokens runs/demo/tokens --preset paper --epochs 25 --bleu-every 5 --output runs/demo/train
              sqlite3 runs/registry.sqlite "select step, value from metrics where key = 'valid.loss' order by step"
            """,
        version: Program.version)

    @OptionGroup var options: StageOptions
    @Option(help: "Folder made by tokenize.") var tokens: String
    @Option(help: "Folder to write.") var output: String
    @Option(help: "Named settings: \(TeacherPreset.allCases.map(\.rawValue).joined(separator: ", ")).") var preset = TeacherPreset.small
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Training") var teacher: TeacherOptions

    func run() throws {
        let folder = try TokenFolder(path: tokens)
        try folder.requireSentences(.train)
        try teacher.requireValidation(folder.count(.valid), in: tokens)
        let settings = try chosenSettings(folder.configuration)
        try StageRun.perform(
            Self.stage, options: options, output: output, configuration: settings,
            inputs: [.folder("tokens", tokens)], seed: settings.values.teacher.seed,
            resumption: teacher.training.resumption
        ) { run in
            let trainee = try makeTrainee(settings, folder, run)
            let trainer = Trainer(
                trainee, settings: settings.values.training, folder: run.folder.unfinished, key: run.keyHash,
                checkpointSeconds: teacher.training.checkpointSeconds)
            let report = TrainingReport(run)
            guard try trainer.run(report.observer) == .finished else { return try run.stopIfRequested() }
            report.finish(steps: trainer.state.step)
            try ModelFolder.write(trainee.model, trainee.weights, vocabulariesFrom: tokens, to: run.folder)
            run.param("parameters", trainee.layout.parameters)
            if let loss = trainer.state.resultLoss { run.metric(.init(.result, .loss), step: trainer.state.step, loss) }
            try run.publish(settings)
        }
    }

    private func chosenSettings(_ tokens: TokensConfiguration) throws -> TrainConfiguration {
        var values = preset.values(
            sourceVocabulary: tokens.sourceVocabularySize, targetVocabulary: tokens.targetVocabularySize, joint: tokens.joint)
        values.model.maxTokens = tokens.maxTokens
        model.apply(to: &values.model)
        teacher.apply(to: &values, preset: preset)
        if let problem = values.model.problem { throw ValidationError(problem) }
        return TrainConfiguration(
            model: ModelDescription(transformer: values.model, source: tokens.source, target: tokens.target, joint: tokens.joint),
            preset: preset, values: values)
    }

    private func makeTrainee(_ settings: TrainConfiguration, _ folder: TokenFolder, _ run: StageRun) throws -> TeacherTrainee {
        let pool = WorkerPool(threads: run.threads)
        let trainee = TeacherTrainee(
            Transformer(settings.values.model), train: try folder.shard(.train), valid: try folder.shard(.valid),
            settings: settings.values.teacher, pool: pool)
        if teacher.bleuEvery > 0 {
            let scorer = try ValidationScorer(folder, model: trainee.model, pool: pool)
            trainee.validationBLEU = { epoch, weights in
                (epoch + 1) % teacher.bleuEvery == 0 ? try scorer.bleu(weights) : nil
            }
        }
        return trainee
    }
}

/// The configuration in the manifest of a teacher.
struct TrainConfiguration: Codable {
    let model: ModelDescription
    let preset: TeacherPreset
    let values: TeacherPreset.Values
}
