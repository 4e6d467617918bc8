import ArgumentParser
import Corpus
import Kernels
import Models
import Stages
import Tensors
import Training

extension Attention: ExpressibleByArgument {}

@main
struct Capture: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record what a model's attentions take in and put out.",
        discussion: """
            Runs the model over the training and validation sets, teacher-forced and without dropout, and writes \
            activations of the chosen attentions and layers, real tokens only, all in one pass. The disk is looked at \
            first: a capture that would not fit does not start.

            What is taken depends on the span of the families that will learn from it:
              heads     normed input of the attention, its concatenated heads:
                        \(Capture.families(.heads))
              sublayer  input of the layer, the same plus attention: \(Capture.families(.sublayer))
              layer     input of the layer, its output: \(Capture.families(.layer))

            From a model made by splice those attentions are captured that are still there, as they work with the \
            networks before them; so layers can be distilled one after another, each on what it will really be given. \
            Without --layers, a layer is captured if none of the chosen attentions has been replaced in it.

            Examples:
              capture --model runs/demo/train --tokens runs/demo/tokens \\
                  --attentions encoder --output runs/demo/capture/heads.encoder
              capture --model runs/demo/train --tokens runs/demo/tokens \\
                  --attentions encoder --families alr elr --layers 0 5 --type F32 \\
                  --output runs/demo/capture/ends
              capture --model runs/demo/splice/alr-m.encoder.0 --tokens runs/demo/tokens \\
                  --attentions encoder --layers 1 \\
                  --output runs/demo/capture/encoder.1.after.0
            """,
        version: Program.version(of: "capture"))

    @OptionGroup var options: StageOptions
    @Option(help: "Folder of a model, made by train or splice.") var model: String
    @Option(help: "Folder made by tokenize.") var tokens: String
    @Option(help: "Folder to write.") var output: String
    @Option(parsing: .upToNextOption, help: "Which attentions; crossfull is captured as cross.") var attentions:
        [Attention]
    @Option(
        name: [.long, .customLong("modes")], parsing: .upToNextOption,
        help: """
            Families that shall learn from it: \(Families.all.map(\.name).joined(separator: ", ")). \
            (default: those that span the heads)
            """,
        transform: { try Capture.family($0) })
    var families: [any Family] = []
    @Option(parsing: .upToNextOption, help: "Layers, counted from 0. (default: all that are there)") var layers: [Int] =
        []
    @Option(help: "Type of the numbers: F16 or F32.") var type = ActivationType.f16

    func run() throws {
        let teacher = try ModelFolder(path: model), folder = try TokenFolder(path: tokens)
        try folder.requireSentences(.train)
        try teacher.requireFit(folder, maxTokens: true)
        for family in families where !attentions.contains(where: { family.attentions.contains($0) }) {
            throw SpecError(
                text: family.name,
                reason: "it stands at \(family.attentions.map(\.rawValue).joined(separator: " ")) only")
        }
        let settings = try CaptureConfiguration(
            of: teacher.description, at: model, spans: families.isEmpty ? [.heads] : families.map(\.span),
            attentions: attentions,
            layers: layers.isEmpty ? nil : layers, elementType: type == .f16 ? .f16 : .f32)
        try StageRun.perform(
            StageWork(
                Self.stage, configuration: settings,
                inputs: [.folder("model", teacher.publication), .folder("tokens", folder.publication)]),
            options: options, output: output
        ) { run in
            let capture = try ActivationCapture(of: teacher, settings, pool: WorkerPool(threads: run.threads))
            let shards = try [Split.train, .valid].map { ($0, try folder.shard($0)) }
            let bytes = shards.reduce(0) { $0 + capture.bytes($1.1) }
            try requireSpace(bytes, of: FileSystem.freeBytes(at: output))
            for (split, shard) in shards {
                let progress = run.progress("\(Self.stage) \(split.rawValue)", total: shard.count, unit: "sentences")
                try capture.write(
                    shard, split, to: run.folder, progress: { progress.update($0) }, stop: { try run.stopIfRequested() }
                )
                progress.finish(shard.count)
                run.metric(
                    .init(split == .train ? .train : .valid, .tokens), Double(shard.targetTokens))
            }
            try capture.writeBlockHashes(to: run.folder)
            run.metric(.init(nil, .bytes), Double(bytes))
            run.param("points", settings.points.count)
            try run.publish(settings)
        }
    }

    private static func families(_ span: Span) -> String {
        Families.all.filter { $0.span == span }.map(\.name).joined(separator: ", ")
    }

    private static func family(_ name: String) throws -> any Family {
        guard let family = Families.named(name) else {
            throw ValidationError("'\(name)' is none of \(Families.all.map(\.name).joined(separator: " "))")
        }
        return family
    }

    func requireSpace(_ bytes: Int, of free: Int) throws {
        guard free > bytes + bytes / 50 else {
            throw DataError(
                path: output, expected: "\(Format.bytes(bytes)) of free disk space", found: Format.bytes(free),
                hint: "capture fewer --layers or --attentions at a time" + (type == .f32 ? ", or --type F16" : ""),
                kind: .noSpace)
        }
    }
}

enum ActivationType: String, ExpressibleByArgument {
    case f16 = "F16"
    case f32 = "F32"
}
