import Foundation
import Registry
import Stages
import Tensors

/// What each row of the leaderboard came from, and every run behind any of them with its configuration.
struct Lineage {
    struct Step {
        let run: Int64
        let stage: String
    }

    struct Row {
        let run: Int64
        let model: String
        let steps: [Step]
    }

    struct Run {
        let run: Int64
        let title: String
        let facts: [Fact]
        let command: String
        let configuration: String
    }

    struct Fact {
        let name: String
        let value: String
    }

    let rows: [Row]
    let runs: [Run]
    /// The commands of all that is behind the leaderboard, in their order.
    let commands: String
    let machines: [String]
    let commits: [String]

    init(_ evidence: Evidence) throws {
        let registry = evidence.registry
        let scored = evidence.groups.flatMap(\.members)
        var behind: [Int64: [Int64]] = [:]
        for row in scored { behind[row.run] = try registry.ancestors(of: row.run) }
        let ids = Set(behind.keys).union(behind.values.flatMap { $0 })
        let all = try registry.runs(ids)
        let uses = Dictionary(grouping: try registry.uses(by: ids), by: \.run)
        func steps(_ runs: [Int64]) -> [Step] {
            all.filter { runs.contains($0.id) }.map { Step(run: $0.id, stage: $0.stage) }
        }
        rows = scored.map {
            Row(run: $0.run, model: "\($0.name)/\($0.model)", steps: steps([$0.run] + (behind[$0.run] ?? [])))
        }
        runs = all.map { Run($0, uses[$0.id] ?? []) }
        commands = all.map { Self.command($0) }.joined(separator: "\n")
        machines = all.grouped { "\($0.cpu), \($0.blas)" }.map(\.key)
        commits = all.grouped { Self.commit($0) }.map(\.key)
    }

    fileprivate static func commit(_ run: RecordedRun) -> String {
        guard let commit = run.commit else { return "\(run.stage) \(run.version), commit not recorded" }
        return "\(run.stage) \(run.version), commit \(commit.prefix(12))" + (run.isDirty == true ? " with changes" : "")
    }

    /// As it was typed; the program by its name alone.
    fileprivate static func command(_ run: RecordedRun) -> String {
        let words = run.arguments
        return ([FilePath.name(words.first ?? run.stage)] + words.dropFirst().map(FilePath.quoted)).joined(
            separator: " ")
    }
}

extension Lineage.Run {
    fileprivate init(_ run: RecordedRun, _ uses: [Use]) {
        self.run = run.id
        title = run.stage + (run.spec.map { " " + $0 } ?? "")
        command = Lineage.command(run)
        let object = (try? JSONSerialization.jsonObject(with: Data(run.config.utf8))) ?? [:] as [String: Any]
        let text = try? JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        configuration = text.map { String(decoding: $0, as: UTF8.self) } ?? run.config
        let read = uses.map { "\($0.role) \($0.sha256.prefix(12))" }.joined(separator: ", ")
        let all: [(String, String?)] = [
            ("run", run.name), ("made by", Lineage.commit(run)), ("seed", run.seed.map { "\(UInt64(bitPattern: $0))" }),
            ("machine", "\(run.cpu), \(run.blas), \(run.threads) threads"),
            ("started", run.started.map { $0.formatted(.iso8601) }),
            ("took", run.wallSeconds.map(Format.duration)), ("peak memory", run.peakBytes.map(Format.bytes)),
            ("read", read.isEmpty ? nil : read),
            ("made", run.outputSHA256.map { "\($0.prefix(12)), \(Format.bytes(run.outputBytes ?? 0))" }),
        ]
        facts = all.compactMap { name, value in value.map { Lineage.Fact(name: name, value: $0) } }
    }
}
