import ArgumentParser
import Corpus
import Foundation
import Kernels
import Models
import Processes
import Stages
import Tensors
import Training

@main
struct Train: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a translation Transformer, the teacher of what follows.",
        discussion: """
            Reads a folder made by `tokenize` and writes weights, vocabularies and a manifest. The validation loss is \
            measured after every epoch; the result is the average of the best epochs, or the best one alone. Stopped \
            or killed, it goes on from its last checkpoint when the same command is given again, and ends with the \
            same bits.

            With --model a model is trained further, from its weights and in its shape, on this text.

            With --teacher too, it is a spliced model that is trained in place: its networks, or all of it, learn to \
            say what the teacher says and what the references say, alpha T^2 KL(teacher || model) + (1 - alpha) \
            cross-entropy. With --teacher-beam the teacher's translations stand in place of the references; with \
            --matching the networks' contexts come near to the teacher's as well.

            A preset gives every value; each can be overridden. Width 128, 8 heads, hidden width 512, 6 + 6 layers, and:
              paper     as in "Rethinking Attention" (Bozic et al. 2024): untied,
                        dropout 0.1, Noam with a warm-up of 4,000 steps, batches
                        of 1,500 target tokens, 20 epochs
              small     for corpora of less than 100,000 pairs: tied, dropout 0.3
                        (attention 0.1), cosine from 2.5e-3 after 1,200 steps,
                        batches of 3,000, 40 epochs
              brief     the same in less time: dropout 0.2, Muon, cosine from
                        2e-3 after 200 steps, batches of 2,000, 18 epochs
              inplace   for training in place: no dropout, cosine from 4e-3 after
                        100 steps, batches of 2,500, gradients cut to 1, 6 epochs
            With all: Adam of 0.9, 0.98 and 1e-9, label smoothing 0.1, no decay, the best epoch alone.

            Examples:
              train --tokens runs/demo/tokens --output runs/demo/train
              train --tokens runs/demo/tokens --preset paper --epochs 25 --bleu-every 5 \\
                  --output runs/demo/train
              train --tokens runs/demo/tokens --model runs/demo/splice/mix-l.cross \\
                  --teacher runs/demo/train --output runs/demo/inplace/mix-l.cross
              train --tokens runs/long/tokens --model runs/demo/train --epochs 10 \\
                  --output runs/long/train
              sqlite3 runs/registry.sqlite \\
                  "select run, step, value from metrics where key = 'valid.loss'"
            """,
        version: Program.version(of: "train"))

    static let runsInProcesses = true
    @OptionGroup var options: StageOptions
    @Option(help: "Folder made by tokenize.") var tokens: String
    @Option(help: "Folder to write.") var output: String
    @Option(
        help: """
            Named settings: \(TrainingPreset.allCases.map(\.rawValue).joined(separator: ", ")). \
            (default: brief, or inplace)
            """)
    var preset: TrainingPreset?
    @OptionGroup(title: "Training further") var teaching: TeachingOptions
    @OptionGroup(title: "Model") var shape: ModelOptions
    @OptionGroup(title: "Training") var learning: LearningOptions

    func validate() throws {
        if teaching.model != nil, let option = shape.givenShape {
            throw ValidationError("\(option): a model that is trained further has its shape; leave the option out")
        }
    }

    func run() throws {
        let folder = try TokenFolder(path: tokens), start = try teaching.model.map(ModelFolder.init),
            teacherFolder = try teaching.teacher.map(ModelFolder.init)
        try folder.requireSentences(.train)
        try learning.requireValidation(folder.count(.valid), in: tokens)
        for model in [start, teacherFolder].compactMap({ $0 }) {
            try model.requireFit(folder, maxTokens: model.model.isBounded)
        }
        let settings = try chosenSettings(folder.configuration, start)
        try requireSense(settings, start, teacherFolder)
        let models = [("model", start), (teacherRole(settings), teacherFolder)]
        let inputs =
            [.folder("tokens", folder.publication)]
            + models.compactMap { role, model in model.map { StageInput.folder(role, $0.publication) } }
        try StageRun.perform(
            StageWork(
                Self.stage, label: isTeacher(start) ? nil : FilePath.name(output),
                configuration: settings,
                inputs: inputs, seed: settings.values.trainee.seed,
                resumption: learning.training.resumption),
            options: options, output: output
        ) { run in
            let trainee = try makeTrainee(settings, folder, start, teacherFolder, run)
            run.note(mostThreads: trainee.mostThreads)
            let trainer = Trainer(
                trainee, settings: settings.values.training, folder: run.folder.unfinished, key: run.keyHash,
                checkpointSeconds: learning.training.checkpointSeconds, group: .shared)
            try TrainingReport(run).train(trainer)
            if ProcessGroup.shared.leads { try publish(trainee, trainer, folder, settings, run) }
        }
    }

    private func requireSense(
        _ settings: TrainConfiguration, _ start: ModelFolder?, _ teacherFolder: ModelFolder?
    ) throws {
        let teaching = settings.values.trainee.teaching
        if teaching?.trainable == .networks, settings.model.replacements.isEmpty {
            throw ValidationError(
                "--trainable networks, the default: the model has none in attentions' places; give --trainable all")
        }
        if teaching?.matching != nil, let start, let teacherFolder,
            !ContextMatching.isPossible(teacherFolder.model, start.model)
        {
            throw ValidationError("--matching needs a teacher of the model's shape, and networks that span the heads")
        }
    }

    private func publish(
        _ trainee: TransformerTrainee, _ trainer: Trainer, _ folder: TokenFolder, _ settings: TrainConfiguration,
        _ run: StageRun
    ) throws {
        if trainee.bytesPerStep > 0 {
            run.metric("sent_bytes_per_step", trainee.bytesPerStep)
            run.log.info("each process sent \(Format.count(Int(trainee.bytesPerStep))) bytes a step")
        }
        try ModelFolder.write(
            trainee.model, trainee.weights, source: folder.source, target: folder.target, to: run.folder)
        run.param("parameters", trainee.layout.parameters)
        if let loss = trainer.state.resultLoss { run.metric(.init(.result, .loss), step: trainer.state.step, loss) }
        try run.publish(settings)
    }

    /// The lineage tells whether the model has kept the weights that it began with, but for its networks.
    private func teacherRole(_ settings: TrainConfiguration) -> String {
        settings.values.trainee.teaching?.trainable == .all ? Identity.teacherOfAll : Identity.teacherOfNetworks
    }

    /// Whether what comes out has all its attentions and has learnt from references alone.
    private func isTeacher(_ start: ModelFolder?) -> Bool {
        teaching.teacher == nil && start?.description.replacements.isEmpty ?? true
    }

    private func chosenSettings(_ tokens: TokensConfiguration, _ start: ModelFolder?) throws -> TrainConfiguration {
        let preset = preset ?? (teaching.teacher == nil ? .brief : .inplace)
        guard (preset == .inplace) == (teaching.teacher != nil) else {
            throw ValidationError("preset inplace and --teacher go together")
        }
        var values = preset.values(
            sourceVocabulary: tokens.sourceVocabularySize, targetVocabulary: tokens.targetVocabularySize,
            joint: tokens.joint)
        if let start {
            values.model = values.model.withShape(of: start.description.transformer)
        }
        if start?.model.isBounded != true { values.model.maxTokens = tokens.maxTokens }
        shape.apply(to: &values.model)
        try learning.apply(to: &values, preset: preset)
        if var own = values.trainee.teaching {
            teaching.apply(to: &own)
            own.likeliest = min(own.likeliest, values.model.targetVocabulary)
            values.trainee.teaching = own
        }
        if let problem = values.model.problem { throw ValidationError(problem) }
        if start == nil, values.model.tying == .all, !tokens.joint {
            throw ValidationError("--tying all needs a joint vocabulary, found one for each side")
        }
        return TrainConfiguration(
            model: ModelDescription(
                transformer: values.model, source: tokens.source, target: tokens.target, joint: tokens.joint,
                replacements: start?.description.replacements ?? []),
            preset: preset, values: values)
    }

    private func makeTrainee(
        _ settings: TrainConfiguration, _ folder: TokenFolder, _ start: ModelFolder?, _ teacherFolder: ModelFolder?,
        _ run: StageRun
    ) throws -> TransformerTrainee {
        let pool = WorkerPool(threads: run.threads), own = settings.values
        try start?.loadNetworks()
        try teacherFolder?.loadNetworks()
        let taught = try teacherFolder.map { try TaughtText($0, folder, own.trainee.teaching!, run, pool) }
        let model = Transformer(own.model, try Replacements(settings.model.replacements, in: own.model))
        let trainee = TransformerTrainee(
            model, weights: start?.weights, train: try taught?.train ?? folder.shard(.train),
            valid: try folder.shard(.valid), validTranslations: taught?.validTranslations, settings: own.trainee,
            lessons: taught?.lessons, pool: pool, group: .shared)
        if learning.bleuEvery > 0 {
            let scorer = try ValidationScorer(folder, pool: pool), model = trainee.model
            trainee.validationBLEU = { epoch, weights in
                (epoch + 1) % learning.bleuEvery == 0 ? try scorer.bleu(model, weights: weights) : nil
            }
        }
        return trainee
    }
}

/// What a model learns from a teacher.
private struct TaughtText {
    let train: TokenShard
    /// Where the targets of `train` are the teacher's translations.
    let validTranslations: TokenShard?
    let lessons: TeacherLessons

    init(
        _ teacher: ModelFolder, _ folder: TokenFolder, _ settings: TeachingSettings, _ run: StageRun, _ pool: WorkerPool
    ) throws {
        let translation = settings.translationBeam.map {
            TeacherTranslation(
                teacher.model, weights: teacher.weights, beam: $0,
                mostTokens: PairFilter(maxTokens: folder.configuration.maxTokens).mostTargetTokens, pool: pool)
        }
        let train = try translation.map { try Self.translations($0, .train, folder, run) } ?? folder.shard(.train)
        self.train = train
        validTranslations = try translation.map { try Self.translations($0, .valid, folder, run) }
        lessons = try Self.withProgress(run, "teacher", train.count) {
            try TeacherLessons(
                teacher.model, weights: teacher.weights, train, settings, pool: pool, progress: $0, stop: $1)
        }
    }

    /// The translations of a split. They lie beside the checkpoint, so that who goes on, on whatever machine, goes on
    /// with the same.
    private static func translations(
        _ translation: TeacherTranslation, _ split: Split, _ folder: TokenFolder, _ run: StageRun
    ) throws -> TokenShard {
        let group = ProcessGroup.shared, references = try folder.shard(split),
            path = try run.folder.temporaryPath("\(split.rawValue).translations.safetensors")
        var kept = Data()
        if group.leads, try FileSystem.existsForCertain(path) { kept = try Data(FileSystem.read(path)) }
        kept = group.gather(kept)[0]
        guard !kept.isEmpty else {
            let result = try withProgress(run, "\(split.rawValue) translations", references.count) {
                try translation.translated(references, progress: $0, stop: $1)
            }
            if group.leads {
                let partial = path + ".new"
                try result.write(
                    to: partial, sourceVocabulary: folder.source.count, targetVocabulary: folder.target.count)
                try FileSystem.writeAtomically(Data(FileSystem.read(partial)), to: path)
                try FileSystem.remove(partial)
            }
            return result
        }
        if !group.leads { try FileSystem.writeAtomically(kept, to: path) }
        do {
            let result = try TokenShard(
                path: path, sourceVocabulary: folder.source.count, targetVocabulary: folder.target.count)
            if result.source == references.source { return result }
        } catch let error as DataError where error.kind != .bad {
            throw error  // which says nothing of the file's content
        } catch {}
        throw DataError(
            path: path, expected: "translations of \(references.count) sentences", found: "something else",
            hint: "delete it: they are made again")
    }

    /// Does some work with its display, and what it asks now and then.
    private static func withProgress<Result>(
        _ run: StageRun, _ label: String, _ sentences: Int,
        _ work: (_ progress: (Int) -> Void, _ stop: () throws -> Void) throws -> Result
    ) throws -> Result {
        var progress: ProgressDisplay?
        let result = try work(
            { done in
                progress = progress ?? run.progress(label, total: sentences, unit: "sentences")
                progress?.update(done)
            },
            { if ProcessGroup.shared.count == 1 { try run.stopIfRequested() } })  // several stop at a step
        progress?.finish(sentences)
        return result
    }
}

/// The configuration in the manifest of what `train` made.
struct TrainConfiguration: Codable {
    let model: ModelDescription
    let preset: TrainingPreset
    let values: TrainingPreset.Values
}
