import ArgumentParser
import Corpus
import Foundation
import Models
import Stages

@main
struct Bench: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine, and how near to its limits the programs come.",
        discussion: """
            Everything is measured here and now, on the sentences of a tokens folder and with untrained weights, whose \
            values do not matter for speed: the peak of multiply-adds and of memory, the kernels against them, \
            training of the teacher with its phases, how it changes with the shape and, simulated, with the number \
            of cores, distillation by family and size, translation with the teacher and with spliced models, subwords, \
            BLEU, and the memory of each part. Ratios within one run mean something; figures of different runs on a \
            shared machine do not.

            Parts: \(Part.allCases.map(\.rawValue).joined(separator: " "))

            Examples:
              bench --tokens runs/demo/tokens --output runs/demo/bench
              bench --tokens runs/demo/tokens --output runs/demo/bench \\
                  --parts training kernels --seconds 5 --json
              sqlite3 runs/registry.sqlite \\
                  "select key, value from metrics join runs on run = id where stage = 'bench'"
            """,
        version: Program.version(of: "bench"))

    @OptionGroup var options: StageOptions
    @OptionGroup var result: JSONOption
    @Option(help: "Folder made by tokenize.") var tokens: String
    @Option(help: "Folder to write the report to.") var output: String
    @Option(parsing: .upToNextOption, help: "What to measure; all if not given.") var parts: [Part] = []
    @Option(help: "Seconds for each measurement, about.") var seconds = 2.0
    @Option(
        parsing: .upToNextOption,
        help: """
            Distillations to measure. (default: each family at its attentions, xs and m, and alr at s and l; of \
            scaling \(Part.scaling.specs.joined(separator: " ")))
            """)
    var specs: [String] = []

    var idleOptions: [IdleOptions] {
        parts.isEmpty || parts.contains { !$0.specs.isEmpty }
            ? [] : [.init("--specs", because: "neither distillation nor scaling is among the --parts")]
    }

    func validate() throws {
        for spec in specs where try Spec(typed: spec).layer != nil {
            throw ValidationError("--specs are measured at layer 0: leave the layer out of \(spec)")
        }
    }

    mutating func run() throws {
        OpenBLAS.prepare()
        options.force = true
        let folder = try TokenFolder(path: tokens),
            chosen = parts.isEmpty ? Part.allCases : Part.allCases.filter(parts.contains)
        let settings = BenchConfiguration(parts: chosen, seconds: seconds, specs: specs)
        let asJSON = result.json
        try StageRun.perform(
            StageWork(Self.stage, configuration: settings, inputs: [.folder("tokens", folder.publication)]),
            options: options, output: output
        ) { run in
            let session = try Session(folder, settings, run)
            for part in chosen { try session.measure(part) }
            let report = session.report
            try report.write(to: run.folder.path(BenchReport.fileName))
            for measurement in report.measurements { run.metric(measurement.key, measurement.value) }
            try run.publish(settings)
            if asJSON { try Results.printJSON(report) } else { print(report.text) }
        }
    }
}

enum Part: String, CaseIterable, Codable, ExpressibleByArgument {
    case peak, kernels, training, shapes, scaling, distillation, translation, text

    /// Distillations that it measures by default.
    var specs: [String] {
        switch self {
        case .distillation:
            // every family's, from the smallest up, and what the larger ones of the paper cost
            Families.all.flatMap { family in
                let usual = family.namedSizes.filter { ["xs", "m"].contains($0) }
                return family.attentions.flatMap { attention in
                    (usual.isEmpty ? Array(family.namedSizes.prefix(1)) : usual).map {
                        "\(family.name)-\($0).\(attention)"
                    }
                }
            } + ["alr-s.encoder", "alr-l.encoder", "alr-l.decoder"]
        case .scaling: ["alr-m.encoder", "alr-m.decoder", "mix-l.encoder", "mix-l.cross"]
        default: []
        }
    }
}

struct BenchConfiguration: Codable {
    let parts: [Part]
    let seconds: Double
    /// Distillations to measure; empty: those of the parts.
    let specs: [String]

    func specs(_ part: Part) throws -> [Spec] {
        try (specs.isEmpty ? part.specs : specs).map { try Spec(parsing: $0).at(layer: 0) }
    }
}
