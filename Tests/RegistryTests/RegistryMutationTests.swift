import Foundation
import Tensors
import TestSupport
import Testing

@testable import Registry

/// A registry with damage of every kind is used or refused.
@Suite struct RegistryMutationTests {
    @Test func damagedRegistries() throws {
        let scratch = Scratch()
        var registry: RunRegistry? = try scratch.open()
        let tokens = artifact("2", kind: "tokenize", at: scratch.folder + "/toy/tokens"),
            capture = artifact("4", kind: "capture")
        try registry!.record(describe("tokenize"), making: tokens)
        try registry!.record(describe("capture"), reading: [("tokens", tokens)], making: capture)
        try registry!.record(describe("distill", spec: "alr-m.encoder"), reading: [("capture", capture)]) { run in
            for step in 1...20 { run.metric("train.loss", step: step, 1 / Double(step)) }
            run.param("replaced", 6)
        }
        try registry!.record(describe("score", spec: "teacher"), reading: [("tokens", tokens)]) { run in
            run.score(Score(metric: "BLEU", testSet: "test", value: 30, precisions: [60, 40, 20, 10]))
        }
        let begun = try registry!.start(describe("train")) { _ in }
        _ = try registry!.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        let whole = try FileSystem.read(scratch.path)
        begun.end(finished)
        registry = nil
        let all = try RunRegistry(path: scratch.folder + "/all.sqlite")
        var number = 0
        let outcome = Mutations.outcome(
            "registry", whole, every: 10, accepts: { $0 is RegistryError || $0 is DataError }
        ) { bytes in
            // a name of its own: SQLite shares what it knows of a file among all who have it open
            number += 1
            let path = scratch.folder + "/\(number).sqlite"
            defer { for suffix in ["", "-wal", "-shm"] { try? FileSystem.remove(path + suffix) } }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let read = try RunRegistry(path: path, timeout: 1)
            if number % 2 == 0 { _ = try all.merge(read) }
            for view in ["leaderboard", "lineage", "running", "not_reproducible", "cost", "reclaimable"] {
                _ = try read.rows("SELECT * FROM \(view)")
            }
            _ = try read.leaderboard(of: ["toy"])
            _ = try read.reclaimable()
            try read.markLost(in: scratch.folder)
            _ = try read.hasMade(hash("4"), keyHash: hash("0"))
            try read.record(describe("train"), reading: [("tokens", tokens)], making: artifact("7", kind: "train"))
        }
        #expect(outcome.problems == [])
        #expect(outcome.refused >= outcome.rounds / 20)
    }
}
