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
struct Distill: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Teach shallow networks what attentions do.",
        discussion: """
            Reads a folder made by `capture` and writes one network for each layer that the spec covers. A spec names \
            family, size, attention and, if it is for one layer, the layer:

              alr-m.encoder      ALR, size M, every encoder layer
              alr-h96.cross.3    ALR, 96 hidden units, cross-attention of decoder layer 3

            Families, where they may stand, and their sizes:
            \(Families.help)

            A preset gives every value; each can be overridden:
              standard  100 steps of warm-up, then cosine; shuffled. The paper's
                        networks: 12 epochs, patience 3, batches of 256
                        sentences, peak 3e-3 (decoder, cross: 1e-2), dropout
                        0.1 (xs, s: 0). mix and slots: 3 epochs, batches of
                        500 tokens, clip 1, peak 1e-2
              paper     as in "Rethinking Attention" (Bozic et al. 2024): constant
                        rate, 21 epochs, not shuffled

            The validation error is measured after every epoch and the best epoch's weights are kept. Stopped or \
            killed, it goes on from its last checkpoint when the same command is given again, and ends with the same \
            bits.

            Examples:
              distill --capture runs/demo/capture/heads.encoder --spec alr-m.encoder \\
                  --output runs/demo/distill/alr-m.encoder
              distill --capture runs/demo/capture/heads.cross --spec alr-s.cross.0 \\
                  --epochs 20 --dropout 0.1 --output runs/demo/distill/alr-s.cross.0
            """,
        version: Program.version(of: "distill"))

    static let runsInProcesses = true
    @OptionGroup var options: StageOptions
    @Option(help: "Folder made by capture.") var capture: String?
    @Option(help: "What to distil, such as alr-m.encoder.", transform: Spec.init(parsing:)) var spec: Spec?
    @Option(help: "Folder to write.") var output: String?
    @Flag(help: "Print the families, one a line, as make reads them: name, span, attentions, named sizes.")
    var families = false
    @Option(
        parsing: .upToNextOption,
        help: "Say what is wrong with these specs, if anything is; with +, of those that stand in one model.")
    var check: [String] = []
    @Option(help: "Named settings: \(DistillationPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset = DistillationPreset.standard
    @OptionGroup(title: "Training") var distillation: DistillOptions

    var idleOptions: [IdleOptions] {
        guard families || !check.isEmpty else { return [] }
        return [.allBut("--families", "--check", because: "nothing is distilled")]
    }

    func validate() throws {
        for text in check { try Spec.check(typed: text) }
        guard !families, check.isEmpty else { return }
        if capture == nil { throw ValidationError("Missing expected argument '--capture <capture>'") }
        if spec == nil { throw ValidationError("Missing expected argument '--spec <spec>'") }
        if output == nil { throw ValidationError("Missing expected argument '--output <output>'") }
    }

    func run() throws {
        if families, ProcessGroup.shared.leads { print(Families.table) }
        guard let capture, let spec, let output else { return }
        let folder = try PublishedFolder<CaptureConfiguration>(capture, stage: "capture"),
            captured = folder.configuration
        try captured.requireSound(path: capture)
        try distillation.requireUse(by: spec)
        let valid = try folder.tensors(CapturePoint.offsetsName(.valid)).info("target").shape
        try distillation.training.requireValidation((valid.first ?? 1) - 1, in: capture)
        var values = preset.values(spec)
        try distillation.apply(to: &values)
        let settings = DistillConfiguration(spec: spec, preset: preset, values: values, capture: captured)
        let specs = try settings.specs()
        try StageRun.perform(
            StageWork(
                Self.stage, spec: spec.description, configuration: settings,
                inputs: [.folder("capture", folder.publication)],
                seed: values.distillation.seed, resumption: distillation.training.resumption),
            options: options, output: output
        ) { run in
            let pool = WorkerPool(threads: run.threads)
            try run.divide(specs) { spec, output in
                try distil(spec, from: folder, into: output, settings, run, pool)
            }
            guard ProcessGroup.shared.leads else { return }
            var table = Table(
                .left("spec"), .right("parameters"), .right("epochs"), .right("valid error"), .right("explained"),
                .right("cosine"))
            for spec in specs {
                let result = try LayerResult.made(in: run.folder, layer: spec.layer!, key: run.keyHash)
                table.add(
                    "\(spec)", Format.count(result.parameters), "\(result.epochs)",
                    result.loss.map { String(format: "%.5f", $0) } ?? "-",
                    result.explained.map { String(format: "%.3f", $0) } ?? "-",
                    result.cosine.map { String(format: "%.3f", $0) } ?? "-")
            }
            try run.publish(settings)
            print(table)
        }
    }

    private func distil(
        _ spec: Spec, from folder: PublishedFolder<CaptureConfiguration>, into output: OutputFolder,
        _ settings: DistillConfiguration, _ run: StageRun, _ pool: WorkerPool
    ) throws {
        let layer = spec.layer!, scratch = output.unfinished + "/layer-\(layer)"
        if let made = try LayerResult.load(from: output, layer: layer, key: run.keyHash) {
            run.metric(MetricKey(nil, .parameters, layer: layer), Double(made.parameters))
            try? FileSystem.removeFolder(scratch)  // left by a kill between its weights and here
            return
        }
        let capture = folder.path, hashes = try folder.blockHashes()
        let trainee = try DistillationTrainee(
            spec, settings.capture, train: CapturedActivations(folder: capture, hashes, settings.capture, .train, spec),
            valid: CapturedActivations(folder: capture, hashes, settings.capture, .valid, spec),
            settings: settings.values.distillation, pool: pool)
        run.note(mostThreads: trainee.mostThreads)
        run.metric(MetricKey(nil, .parameters, layer: layer), Double(trainee.layout.parameters))
        try FileSystem.makeFolder(scratch)
        let trainer = Trainer(
            trainee, settings: settings.values.training, folder: scratch, key: "\(run.keyHash).\(layer)",
            checkpointSeconds: distillation.training.checkpointSeconds)
        try TrainingReport(run, layer: layer, label: "\(spec)").train(trainer)
        let result = try LayerResult(trainee, epochs: trainer.state.epoch)
        try result.save(trainee, to: output, layer: layer, key: run.keyHash)
        try FileSystem.removeFolder(scratch)
    }
}

extension DistillationPreset: ExpressibleByArgument {}
