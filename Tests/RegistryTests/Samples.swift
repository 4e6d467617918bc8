import Foundation
import TestSupport

@testable import Registry

/// A registry in a folder of its own, which goes away with it.
final class Scratch {
    private let root = TemporaryFolder("registry")
    var folder: String { root.path }
    var path: String { root.file("registry.sqlite") }

    func open(timeout: Double? = nil) throws -> RunRegistry {
        try RunRegistry(path: path, timeout: timeout)
    }
}

let thisMachine = Machine(host: "here", bootID: "boot", pid: getpid(), blas: "test", cpu: "test")

func describe(
    _ stage: String, spec: String? = nil, name: String = "toy", key: String = "0", machine: Machine = thisMachine
) -> RunDescription {
    RunDescription(
        name: name, stage: stage, spec: spec, keyHash: hash(key), configuration: "{\"a\":1}",
        arguments: [stage, "--x"], version: "1",
        git: GitState(commit: "abc", isDirty: true), seed: 7, threads: 2, machine: machine)
}

/// A made-up SHA-256 that ends in `text`.
func hash(_ text: String) -> String { String(repeating: "0", count: 64 - text.count) + text }

func artifact(_ id: String, kind: String, at path: String = "/elsewhere/x") -> Artifact {
    Artifact(sha256: hash(id), bytes: 1000, kind: kind, path: path)
}

let finished = RunEnding(
    status: .finished, exitCode: 0, wallSeconds: 3600, cpuSeconds: 7200, peakResidentBytes: 5 << 20)

extension RunRegistry {
    /// A whole run at once.
    @discardableResult
    func record(
        _ run: RunDescription, reading inputs: [(String, Artifact)] = [], making output: Artifact? = nil,
        ending: RunEnding = finished,
        facts: (LiveRun) -> Void = { _ in }
    ) throws -> Int64 {
        let live = try start(run, inputs: inputs.map { (role: $0.0, artifact: $0.1) }) { print("registry: \($0)") }
        facts(live)
        if let output { live.output(run.stage, output) }
        live.end(ending)
        return live.id
    }
}
