import ArgumentParser
import Foundation
import Kernels
import Logging
import Models
import Stages
import Tensors
import Training

@main
struct SpliceCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "splice",
        abstract: "Put distilled networks in the place of a model's attentions.",
        discussion: """
            Reads a model and any number of folders made by `distill`, and writes a complete model, which `score` takes like any \
            other. What a network takes the place of is left out of it: the projections to queries, keys and values, the sublayer, \
            or the layer.

            Examples:
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder \\
                  --output runs/demo/splice/alr-m.encoder
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder \\
                  --replacement runs/demo/distill/alr-m.decoder \\
                  --output runs/demo/splice/alr-m.encoder+alr-m.decoder
              splice --model runs/demo/train \\
                  --replacement runs/demo/distill/alr-m.encoder --layers 0 --layers 1 \\
                  --output runs/demo/splice/first-two
            """,
        version: Program.version)

    @OptionGroup var options: StageOptions
    @Option(help: "Folder of the model.") var model: String
    @Option(help: "Folder made by distill; give it again for each further one.") var replacement: [String]
    @Option(help: "Only these layers of the replacements; give it again for each further one. (default: all that were distilled)") var layers: [Int] = []
    @Option(help: "Folder to write.") var output: String

    func run() throws {
        let base = try ModelFolder(path: model)
        let log = Logger.stage(Self.stage, quiet: options.quiet)
        let distilled = try replacement.map { try Distilled($0, layers: layers, for: base) { log.warning("\($0)") } }
        if let absent = layers.first(where: { layer in !distilled.contains { $0.specs.contains { $0.layer == layer } } }) {
            throw SpecError(text: "layer \(absent)", reason: "none of the replacements was distilled for it")
        }
        var description = base.description
        description.replacements += distilled.flatMap(\.specs)
        let spliced = Transformer(description.transformer, try Replacements(description.replacements, in: description.transformer))
        let settings = SpliceConfiguration(model: description)
        let inputs = try zip(replacement, distilled).map { try StageInput.folder("replacement.\($1.name)", $0) }
        try StageRun.perform(
            Self.stage, spec: distilled.map(\.name).joined(separator: "+"), options: options, output: output, configuration: settings,
            inputs: [.folder("model", model)] + inputs
        ) { run in
            let weights = FloatBlock(spliced.layout.count)
            try base.copyWeights(to: weights, of: spliced)
            for one in distilled { try one.read(into: weights, of: spliced) }
            try ModelFolder.write(spliced, weights, vocabulariesFrom: model, to: run.folder)
            try run.publish(settings)
            run.param("sites", description.replacements.count)
            run.param("parameters.before", base.parameters)
            run.param("parameters", spliced.layout.parameters)
            print(
                "\(description.replacements.count) attentions replaced, \(Format.count(base.parameters)) parameters before, "
                    + "\(Format.count(spliced.layout.parameters)) after")
        }
    }
}

/// The configuration in the manifest of a spliced model.
struct SpliceConfiguration: Codable {
    let model: ModelDescription
}

/// A folder made by `distill`.
private struct Distilled {
    let folder: PublishedFolder<DistillConfiguration>
    let name: String
    let specs: [Spec]

    init(_ path: String, layers: [Int], for model: ModelFolder, warn: (String) -> Void) throws {
        folder = try PublishedFolder(path, stage: "distill")
        let settings = folder.configuration
        let teacher = model.description.transformer, shape = settings.capture
        guard (shape.width, shape.heads, shape.maxTokens) == (teacher.width, teacher.heads, teacher.maxTokens) else {
            throw DataError(
                path: path, expected: "networks for width \(teacher.width), \(teacher.heads) heads, \(teacher.maxTokens) tokens",
                found: "width \(shape.width), \(shape.heads) heads, \(shape.maxTokens) tokens", hint: "distil from a capture of this model")
        }
        try model.requireTeacher(of: folder, warn: warn)
        let all = try settings.specs()
        specs = all.filter { layers.isEmpty || layers.contains($0.layer!) }
        name = specs.count == all.count ? settings.spec.description : specs.map(\.description).joined(separator: "+")
    }

    func read(into weights: FloatBlock, of model: Transformer) throws {
        for spec in specs {
            let file = try folder.tensors(DistillConfiguration.weightsName(layer: spec.layer!))
            try WeightFile.read(file, .init(weights, model.slots(of: spec)), dropping: Replacements.prefix(spec))
        }
    }
}
