import ArgumentParser
import Corpus
import Foundation
import Kernels
import Logging
import Models
import Registry
import Scoring
import Stages
import Tensors
import Training

/// A model on a split of a tokens folder.
struct ModelScoringOptions: ParsableArguments {
    @Option(help: "Folder of a model, made by train or splice.") var model: String?
    @Option(help: "Folder made by tokenize, whose sentences are translated.") var tokens: String?
    @Option(help: "Which of them: valid or test.") var split = Split.test
    @Option(
        help: """
            What products are made of: float32, int8, or mixed: networks in int8, the rest in float32. int8 gives \
            nearly the same translations, faster with AVX-512 VNNI.
            """)
    var precision = TranslationPrecision.float32
    @Option(
        help: """
            Folder of another score of the same sentences to compare with; the difference goes to the registry and, \
            without --json, to standard output.
            """)
    var base: String?
    @Option(help: "Folder to write.") var output: String?
    @Option(help: "Resamples for confidence intervals and the paired test.") var resamples = 1000
    @Option(
        help: """
            Sentences of different length, chosen by their lengths alone, for which maps.json and maps.safetensors say \
            what each place of the model owes to which token.
            """)
    var maps = 0

    func run(_ options: StageOptions, _ search: SearchOptions, json: Bool) throws {
        guard let model, let tokens, let output else { return }
        let folder = try ModelFolder(path: model), sentences = try TokenFolder(path: tokens)
        try folder.requireFit(sentences, maxTokens: false)
        try search.requireRoom(in: folder)
        try sentences.requireSentences(split)
        let text = TestText(of: sentences, split)
        let settings = ScoreConfiguration(
            split: split, text: text, search: search.configuration, precision: precision == .float32 ? nil : precision,
            resamples: resamples, maps: maps == 0 ? nil : maps)
        let other = try base.map { try Evaluation.base($0, count: sentences.count(split), text: text) }
        let inputs =
            [.folder("model", folder.publication), .folder("tokens", sentences.publication)]
            + (other.map { [StageInput.folder("base", $0.folder.publication)] } ?? [])
        let report: ScoreReport? = try StageRun.perform(
            StageWork(Score.stage, label: FilePath.name(output), configuration: settings, inputs: inputs),
            options: options, output: output
        ) { run in
            if let other = other?.folder, other.configuration.searchName != settings.searchName {
                run.log.warning(
                    """
                    \(other.path) was translated with search \(other.configuration.searchName), this with \
                    \(settings.searchName)
                    """)
            }
            let shard = try sentences.shard(split)
            let hypotheses = try translate(folder, shard.source, search.configuration, run)
            let evaluation = try Evaluation(
                hypotheses, folder, references: shard.target,
                texts: try sentences.lines(split, .target), resamples: resamples)
            try evaluation.write(to: run.folder)
            let testSet = sentences.configuration.testSet(split)
            evaluation.record(run, testSet: testSet)
            record(folder, settings, run)
            if maps > 0 { try writeMaps(folder, shard, run) }
            let difference = try other.flatMap { try evaluation.recordDifference(to: $0, testSet: testSet, run) }
            try run.publish(settings)
            if !json {
                print(evaluation.report.text(.fixed(2)))
                if let difference { print(difference) }
            }
            return evaluation.report
        }
        // who asks for numbers gets them of a complete folder too
        if json { print(try report?.json() ?? Evaluation.scores(in: output)) }
    }

    /// What the leaderboard says of a model.
    private func record(_ folder: ModelFolder, _ settings: ScoreConfiguration, _ run: StageRun) {
        run.param("search", settings.searchName)
        if let text = settings.text { run.param("test_text", "\(text)") }
        run.param("replaced", folder.description.replacements.count)
        run.param("networks", folder.description.networks)
        run.param("in_place", folder.isTrainedInPlace ? 1 : 0)
        run.param("parameters", folder.parameters)
    }

    /// Of the numbers that were learnt, whatever products of translation are made of.
    private func writeMaps(_ folder: ModelFolder, _ shard: TokenShard, _ run: StageRun) throws {
        let chosen = SentenceMaps.choose(maps, of: shard, maxTokens: folder.description.transformer.maxTokens)
        if chosen.count < maps {
            run.log.warning("maps: expected \(maps) sentences short enough to be drawn, found \(chosen.count)")
        }
        try folder.loadNetworks()
        try SentenceMaps.write(chosen, of: shard, folder, to: run.folder, stop: { try run.stopIfRequested() })
    }

    func translateStandardInput(_ options: StageOptions, _ search: SearchOptions) throws {
        Signals.uninstall()
        let folder = try ModelFolder(path: model!)
        try search.requireRoom(in: folder)
        let translator = Translator(
            try folder.translationModel(precision), search.configuration, pool: WorkerPool(threads: options.threadCount)
        )
        let log = Logger.stage(Score.stage, quiet: options.quiet)
        var batches = LineBatches(STDIN_FILENO), before = 0
        while let lines = try batches.next() {
            let hypotheses = translator.translate(lines.map { folder.source.encode($0).map { Int32($0) } })
            for (index, hypothesis) in hypotheses.enumerated() {
                for warning in hypothesis.warnings { log.warning("line \(before + index + 1): \(warning)") }
                print(folder.target.decode(hypothesis.ids.map { Int($0) }))
            }
            try Results.flush()
            if Results.readerHasGone { return }
            before += lines.count
        }
    }

    private func translate(
        _ folder: ModelFolder, _ source: TokenSequences, _ search: SearchConfiguration, _ run: StageRun
    ) throws -> [Hypothesis] {
        let translator = Translator(
            try folder.translationModel(precision), search, pool: WorkerPool(threads: run.threads))
        let started = Clock.now
        let progress = run.progress(total: source.count, unit: "sentences")
        let hypotheses = try translator.translate((0..<source.count).map { Array(source[$0]) }) { done in
            progress.update(done)
            try run.stopIfRequested()
        }
        let seconds = Clock.now - started,
            tokens = hypotheses.reduce(0) { $0 + $1.ids.count + ($1.isComplete ? 1 : 0) }
        progress.finish(source.count, note: "\(Format.rate(Double(tokens) / seconds)) tokens/s")
        report(hypotheses, run)
        run.metric(.init(nil, .tokensPerSecond), Double(tokens) / seconds)
        run.metric(.init(nil, .tokens), Double(tokens))
        return hypotheses
    }
}

extension ModelScoringOptions {
    /// A line for each of the first few sentences with a warning, and one for all the others.
    private func report(_ hypotheses: [Hypothesis], _ run: StageRun) {
        let warned = hypotheses.enumerated().flatMap { index, hypothesis in
            hypothesis.warnings.map { "sentence \(index + 1): \($0)" }
        }
        for line in warned.prefix(3) { run.log.warning("\(line)") }
        if warned.count > 3 { run.log.warning("\(warned.count - 3) further warnings of this kind") }
        run.metric(.init(nil, .warnings), Double(warned.count))
    }
}

/// The text that was translated and its references, by content.
struct TestText: Codable, Equatable, CustomStringConvertible {
    let source: String
    let target: String

    init(of tokens: TokenFolder, _ split: Split) {
        source = tokens.textSHA256(split, .source) ?? ""
        target = tokens.textSHA256(split, .target) ?? ""
    }

    var description: String { "\(source.prefix(12)) and \(target.prefix(12))" }
}

/// The configuration in the manifest of a score.
struct ScoreConfiguration: Codable {
    let split: Split
    /// nil in folders of a time when it was not recorded.
    let text: TestText?
    let search: SearchConfiguration
    /// nil: float32.
    let precision: TranslationPrecision?
    let resamples: Int
    /// nil: none.
    let maps: Int?

    /// What the registry calls the search: `greedy`, `beam-4.int8`.
    var searchName: String { search.name + (precision.map { ".\($0)" } ?? "") }
}

extension TranslationPrecision: ExpressibleByArgument {}

/// Training text is not kept, so that its translations have nothing to be compared with.
extension Split: ExpressibleByArgument {
    package init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        self.init(rawValue: argument)
    }

    package static var allValueStrings: [String] { [Split.valid, .test].map(\.rawValue) }
}
