import ArgumentParser
import Foundation
import Registry
import Tensors
import TestSupport
import Testing

@testable import Stages

/// A small stage for the tests: counts to `--steps`, from its checkpoint if there is one, and writes the number.
struct Probe: StageCommand {
    static let configuration = CommandConfiguration(commandName: "probe", version: Program.version)

    struct Settings: Codable {
        var steps: Int
    }

    enum Trouble: String, ExpressibleByArgument {
        case none, data, usage, bug, foundation, sigterm, sigint, sighup, twice, doubled
    }

    @OptionGroup var options: StageOptions
    @Option var output: String
    @Option var steps = 5
    @Option var trouble = Trouble.none
    @Flag var discardCheckpoint = false

    mutating func run() throws {
        let settings = Settings(steps: steps)
        try StageRun.perform(
            StageWork(
                Self.stage, spec: "alr-m.encoder.0", configuration: settings, seed: 5,
                resumption: .fromCheckpoint(discardsOthers: discardCheckpoint)),
            options: options, output: output
        ) { run in
            let checkpoint = try run.folder.temporaryPath("checkpoint")
            let start = (try? String(contentsOfFile: checkpoint, encoding: .utf8)).flatMap { Int($0) } ?? 0
            if start > 0 { run.resumed() }
            for step in start..<steps {
                run.metric(.init(.train, .loss), step: step, Double(step))
                try strike(after: step - start)
                if run.isToStop() { try FileSystem.writeAtomically(Data("\(step + 1)".utf8), to: checkpoint) }
                try run.stopIfRequested()
            }
            try FileSystem.writeAtomically(Data("\(steps)\n".utf8), to: run.folder.path("number"))
            try run.publish(settings)
            print("counted from \(start)")
        }
    }

    private func strike(after step: Int) throws {
        guard step == 1 else { return }
        switch trouble {
        case .none: break
        case .data: throw DataError(path: "shard", expected: "3 rows", found: "2", hint: "make shard", kind: .bad)
        case .usage: throw ValidationError("--steps is odd")
        case .bug: throw Oddity()
        case .foundation: throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: "/no/file"])
        case .sigterm: raise(SIGTERM)
        case .sigint: raise(SIGINT)
        case .sighup: raise(SIGHUP)
        case .twice:
            raise(SIGTERM)
            usleep(1_100_000)
            raise(SIGINT)
        case .doubled:
            raise(SIGTERM)
            raise(SIGHUP)
        }
    }

    struct Oddity: Error, CustomStringConvertible {
        let description = "odd"
    }
}

/// A folder of any stage, as a run reads it.
func publication(_ folder: String) throws -> Publication {
    struct Anything: Codable {}
    return try PublishedFolder<Anything>(folder).publication
}

/// A folder for runs that goes away with this object.
final class Scratch {
    private let root = TemporaryFolder("stages")
    var folder: String { root.path }
    var output: String { root.file("runs/toy/probe") }
    var registry: String { root.file("runs/registry.sqlite") }

    func rows(_ sql: String) throws -> [[String?]] { try RunRegistry(path: registry).rows(sql) }
}

/// What a process has written.
func errors(of result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}
func results(of result: ExitTest.Result?) -> String {
    String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
}
