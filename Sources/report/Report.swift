import ArgumentParser
import Foundation
import Logging
import Registry
import Stages
import Tensors

@main
struct Report: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a page of figures and tables from what runs have recorded.",
        discussion: """
            Reads the registry and the folders of the runs and writes index.html, one file that needs no network, and \
            beside it each figure as SVG with the CSV and the gnuplot script that it was drawn from. Several runs are \
            laid side by side; those that differ in their seed alone (NAME.seed-1, NAME.seed-2) become mean and \
            standard deviation. What a run has no data for is left out, with a sentence that says so.

            Examples:
              report --run demo
              report --run demo.seed-1 --run demo.seed-2 --output runs/demo/report
              report --run demo --table
            """,
        version: Program.version)

    @Option(name: .customLong("run"), help: "Name of a run, its folder under runs; give it again for each further one.")
    var names: [String] = []
    @Option(help: ArgumentHelp("Folder to write. (default: report in the first run's folder)", valueName: "folder"))
    var output: String?
    @Option(help: ArgumentHelp("The history of runs.", valueName: "file"))
    var registry = "runs/registry.sqlite"
    @Flag(help: "Print the leaderboard and write nothing.") var table = false
    @Flag(help: "Print the captures that no run needs any more, their paths and MiB, and write nothing.")
    var reclaimable = false
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Take over the runs of these registries and write nothing else. Merging twice changes nothing.",
            valueName: "file"))
    var merge: [String] = []
    @Option(
        help: ArgumentHelp(
            "Write tables between the two marks in Results.md of this documentation catalogue, and figures beside it.",
            valueName: "folder"))
    var docs: String?

    var idleOptions: [IdleOptions] {
        if !merge.isEmpty { return [.allBut("--merge", "--registry", because: "registries are merged")] }
        if reclaimable { return [.allBut("--reclaimable", "--registry", because: "captures are listed")] }
        if table { return [.init("--output", "--docs", because: "the leaderboard is printed")] }
        return docs == nil ? [] : [.init("--output", because: "--docs says where to write")]
    }

    func validate() throws {
        guard reclaimable || !merge.isEmpty || !names.isEmpty else {
            throw ValidationError("Missing expected argument '--run <run>'")
        }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ValidationError("--run \(twice) was given more than once")
        }
    }

    func run() throws {
        Signals.uninstall()
        if !merge.isEmpty {
            let others = try merge.map { try RunRegistry.existing($0, leavesOld: true) },
                all = try RunRegistry(path: registry)
            for other in others { print("\(other.path): \(Format.count(try all.merge(other))) new runs") }
            return
        }
        let history = try RunRegistry.existing(registry)
        if reclaimable {
            try history.markLost(seenFrom: ThisMachine.describe())
            for folder in try history.reclaimable() {
                print("\(folder.path)|\(String(format: "%.1f", Double(folder.bytes) / 1048576))")
            }
            return
        }
        let evidence = try Evidence(history, names)
        try evidence.requireRuns(registry)
        let log = Logger.stage(Self.stage, quiet: false)
        if let left = evidence.leftOut { log.warning("\(left)") }
        if table {
            let board = Leaderboard(evidence)
            if board.rows.isEmpty, evidence.outdated.isEmpty {
                log.warning("no scores of \(names.joined(separator: " ")) to show; score makes them")
            }
            return print(board.terminal, terminator: "")
        }
        if let docs { return try Documentation(evidence, catalogue: docs).write() }
        let folder = output ?? FilePath.join(FilePath.join(FilePath.parent(registry), names[0]), Self.stage)
        try UnrecordedOutput.publish(folder, stage: Self.stage, configuration: ReportConfiguration(runs: names)) {
            folder in
            let page = try Page(evidence, figures: Figures(evidence).draw { try folder.path($0) })
            try FileSystem.writeAtomically(Data(page.html.utf8), to: folder.path("index.html"))
        }
        print(FilePath.shown(FilePath.join(folder, "index.html")))
    }
}

/// The configuration in the manifest of a report.
struct ReportConfiguration: Codable {
    let runs: [String]
}
