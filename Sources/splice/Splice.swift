import ArgumentParser
import Corpus
import Foundation
import Kernels
import Logging
import Models
import Stages
import Tensors
import Training

@main
struct Splice: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put distilled networks in the place of a model's attentions.",
        discussion: """
            Reads a model and any number of folders made by `distill`, and writes a complete model, which `score` \
            takes like any other. What a network takes the place of is left out of it: the projections to queries, \
            keys and values, the sublayer, or the layer.

            With --greedy it chooses: every network is tried alone, then place by place, the cheapest first, the \
            smallest that keeps BLEU of the validation set (greedy search) within --bound of the model's own; \
            attentions for which there is none stay. What each costs is printed, recorded as metrics alone.SPEC and \
            together.SPEC, and kept in choice.json.

            Examples:
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder \\
                  --output runs/demo/splice/alr-m.encoder
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder \\
                  --replacement runs/demo/distill/alr-m.decoder \\
                  --output runs/demo/splice/alr-m.encoder+alr-m.decoder
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder --layers 0 1 \\
                  --output runs/demo/splice/first-two
              splice --model runs/demo/train --tokens runs/demo/tokens \\
                  --greedy --bound 0.5 --replacement runs/demo/distill/mix-m.encoder \\
                  --replacement runs/demo/distill/mix-l.encoder \\
                  --replacement runs/demo/distill/mix-l.cross \\
                  --output runs/demo/splice/greedy
            """,
        version: Program.version(of: "splice"))

    @OptionGroup var options: StageOptions
    @Option(help: "Folder of the model.") var model: String
    @Option(help: "Folder made by distill; give it again for each further one.") var replacement: [String]
    @Option(
        parsing: .upToNextOption, help: "Only these layers of the replacements. (default: all that were distilled)")
    var layers: [Int] = []
    @Flag(help: "Replace place by place, the cheapest first, while BLEU of the validation set stays within --bound.")
    var greedy = false
    @Option(help: "BLEU that the chosen networks may cost together. (default: 0.5)") var bound: Double?
    @Option(help: "Folder made by tokenize, whose validation set is translated.") var tokens: String?
    @Option(help: "Folder to write.") var output: String

    var idleOptions: [IdleOptions] { greedy ? [] : [.init("--bound", "--tokens", because: "only --greedy translates")] }

    func validate() throws {
        if greedy && tokens == nil { throw ValidationError("--greedy needs --tokens") }
    }

    func run() throws {
        let base = try ModelFolder(path: model)
        let log = Logger.stage(Self.stage, quiet: options.quiet)
        let distilled = try replacement.map { try Distilled($0, layers: layers, for: base) { log.warning("\($0)") } }
        try requireUse(of: distilled)
        let sentences = try tokens.map(TokenFolder.init(path:))
        let settings = try settings(base, distilled.flatMap(\.specs), sentences)
        var inputs: [StageInput] =
            [.folder("model", base.publication)]
            + distilled.map { .folder("replacement.\($0.name)", $0.folder.publication) }
        if let sentences { inputs.append(.folder("tokens", sentences.publication)) }
        try StageRun.perform(
            StageWork(
                Self.stage, spec: distilled.map(\.name).joined(separator: "+"), configuration: settings,
                inputs: inputs),
            options: options, output: output
        ) { run in
            try make(Networks(base: base, distilled: distilled), settings, sentences, run)
        }
    }

    /// What cannot stand in the model is refused here, before anything is written.
    private func settings(
        _ base: ModelFolder, _ offered: [Spec], _ sentences: TokenFolder?
    ) throws -> SpliceConfiguration {
        var settings = SpliceConfiguration(model: base.description)
        guard let sentences else {
            _ = try base.model(with: offered)
            settings.model.replacements += offered
            return settings
        }
        for (index, spec) in offered.enumerated() {
            _ = try base.model(with: [spec])
            guard offered[..<index].contains(spec) else { continue }
            throw SpecError(text: "\(spec)", reason: "it was given more than once")
        }
        try base.requireFit(sentences, maxTokens: false)
        try sentences.requireSentences(.valid)
        settings.greedy = .init(bound: bound ?? 0.5, offered: offered)
        return settings
    }

    private func make(
        _ networks: Networks, _ settings: SpliceConfiguration, _ sentences: TokenFolder?, _ run: StageRun
    ) throws {
        var settings = settings, chosen = networks.distilled.flatMap(\.specs)
        if let greedy = settings.greedy, let sentences {
            chosen = try networks.choose(
                greedy, ValidationScorer(sentences, pool: WorkerPool(threads: run.threads)), run)
            settings.model.replacements += chosen
        }
        let (spliced, weights) = try networks.spliced(chosen), base = networks.base
        try ModelFolder.write(spliced, weights, source: base.source, target: base.target, to: run.folder)
        try run.publish(settings)
        run.param("replaced", settings.model.replacements.count)
        run.param("parameters.before", base.parameters)
        run.param("parameters", spliced.layout.parameters)
        print(
            "\(settings.model.replacements.count) attentions replaced, "
                + "\(Format.count(base.parameters)) parameters before, "
                + "\(Format.count(spliced.layout.parameters)) after")
    }
}

extension Splice {
    /// Of --layers each is one of some replacement, of which each has one of them.
    private func requireUse(of distilled: [Distilled]) throws {
        let found = Set(distilled.flatMap(\.specs).map { $0.layer! })
        if let absent = layers.first(where: { !found.contains($0) }) {
            throw SpecError(text: "layer \(absent)", reason: "none of the replacements was distilled for it")
        }
        for (path, one) in zip(replacement, distilled) where one.specs.isEmpty {
            throw SpecError(text: path, reason: "it has none of the --layers; leave it out")
        }
    }
}

/// The configuration in the manifest of a spliced model.
struct SpliceConfiguration: Codable {
    var model: ModelDescription
    /// nil: all networks that were offered are in the model.
    var greedy: Greedy?

    struct Greedy: Codable {
        let bound: Double
        let offered: [Spec]
    }
}

/// A model and networks that were distilled for it.
private struct Networks {
    let base: ModelFolder
    let distilled: [Distilled]

    /// The model with these of them.
    func spliced(_ specs: [Spec]) throws -> (Transformer, FloatBlock) {
        let model = try base.model(with: specs), weights = FloatBlock(model.layout.count)
        try base.copyWeights(to: weights, of: model)
        for one in distilled { try one.read(specs, into: weights, of: model) }
        return (model, weights)
    }

    /// Chooses among them, records and prints what each costs.
    func choose(_ settings: SpliceConfiguration.Greedy, _ scorer: ValidationScorer, _ run: StageRun) throws -> [Spec] {
        let sizes = try settings.offered.map { spec in
            let model = try base.model(with: [spec])
            return (spec, model.slots(of: spec).reduce(0) { $0 + $1.count })
        }
        var choice = GreedyChoice(sizes, bound: settings.bound), done = 0
        let progress = run.progress(total: nil, unit: "models")
        try choice.choose { specs in
            try run.stopIfRequested()
            let (model, weights) = try spliced(specs), bleu = try scorer.bleu(model, weights: weights)
            done += 1
            progress.update(done, note: specs.isEmpty ? "" : "BLEU \(Format.rate(bleu)) with \(specs.last!)")
            return bleu
        }
        progress.finish(done)
        try choice.record(run)
        print(choice.table)
        return choice.kept
    }
}

extension ModelFolder {
    /// The shape of this model with further networks in it.
    fileprivate func model(with specs: [Spec]) throws -> Transformer {
        Transformer(
            description.transformer, try Replacements(description.replacements + specs, in: description.transformer))
    }
}

/// A folder made by `distill`.
private struct Distilled {
    let folder: PublishedFolder<DistillConfiguration>
    let name: String
    let specs: [Spec]

    init(_ path: String, layers: [Int], for model: ModelFolder, warn: (String) -> Void) throws {
        folder = try PublishedFolder(path, stage: "distill")
        let settings = folder.configuration
        try settings.capture.requireSound(path: path)
        let teacher = model.description.transformer, shape = settings.capture
        guard (shape.width, shape.heads, shape.maxTokens) == (teacher.width, teacher.heads, teacher.maxTokens) else {
            throw DataError(
                path: path,
                expected: "networks for width \(teacher.width), \(teacher.heads) heads, \(teacher.maxTokens) tokens",
                found: "width \(shape.width), \(shape.heads) heads, \(shape.maxTokens) tokens",
                hint: "distil from a capture of this model")
        }
        try model.requireTeacher(of: folder, warn: warn)
        specs = try settings.specs().filter { layers.isEmpty || layers.contains($0.layer!) }
        let isWhole = specs.count == settings.spec.attention.depth(teacher)
        name = isWhole ? settings.spec.description : specs.map(\.description).joined(separator: "+")
    }

    /// Reads those of its networks that are among `chosen`.
    func read(_ chosen: [Spec], into weights: FloatBlock, of model: Transformer) throws {
        for spec in specs where chosen.contains(spec) {
            let file = try folder.tensors(DistillConfiguration.weightsName(layer: spec.layer!))
            try WeightFile.read(file, .init(weights, model.slots(of: spec)), dropping: Replacements.prefix(spec))
        }
    }
}
