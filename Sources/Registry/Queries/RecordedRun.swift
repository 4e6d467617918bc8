import Foundation
import GRDB

/// One execution of a stage as it was recorded, with what it made.
package struct RecordedRun: Decodable, FetchableRecord, Sendable {
    package let id: Int64
    package let name: String
    package let stage: String
    package let spec: String?
    package let status: String
    /// JSON text.
    package let config: String
    package let argv: String
    package let version: String
    package let commit: String?
    package let isDirty: Bool?
    package let seed: Int64?
    package let threads: Int
    package let blas: String
    package let cpu: String
    private let startTime: String
    /// Up to the last sign of life of one that is at work, or that nobody saw end.
    package let wallSeconds: Double?
    package let cpuSeconds: Double?
    package let peakBytes: Int?
    package let outputSHA256: String?
    package let outputBytes: Int?
    /// Where the output was last seen; from the registry's folder where it lies inside.
    private let outputPath: String?

    package var started: Date? { Time.date(startTime) }

    /// The words of its command.
    package var arguments: [String] { (try? JSONDecoder().decode([String].self, from: Data(argv.utf8))) ?? [] }

    /// The folder that it made, as the file system knows it.
    package func outputFolder(in registry: RunRegistry) -> String? { outputPath.map(registry.onDisk) }
}

extension RunRegistry {
    /// All runs of these folders, whatever became of them, in the order in which they started.
    package func runs(of names: [String]) throws -> [RecordedRun] { try recordedRuns("runs.name IN \(names)") }

    /// These runs, in the order in which they started.
    package func runs(_ ids: some Sequence<Int64>) throws -> [RecordedRun] {
        try recordedRuns("runs.id IN \(Array(ids))")
    }

    private func recordedRuns(_ condition: SQL) throws -> [RecordedRun] {
        try read { database in
            try SQLRequest<RecordedRun>(
                literal: """
                    SELECT runs.id, runs.name, runs.stage, runs.spec, runs.status, runs.config, runs.argv, runs.version,
                           runs.git_commit AS "commit", runs.git_dirty AS isDirty, runs.seed, runs.threads,
                           runs.blas, runs.cpu, runs.started AS startTime, \(sql: Views.seconds) AS wallSeconds,
                           runs.cpu_seconds AS cpuSeconds, runs.peak_rss_bytes AS peakBytes,
                           made.artifact AS outputSHA256, artifacts.bytes AS outputBytes,
                           \(sql: Views.lastPlace(of: "made.artifact")) AS outputPath
                    FROM runs
                    LEFT JOIN run_io made ON made.run = runs.id AND made.direction = 'out' AND made.role = runs.stage
                    LEFT JOIN artifacts ON artifacts.sha256 = made.artifact
                    WHERE \(condition)
                    ORDER BY runs.started, runs.id
                    """
            ).fetchAll(database)
        }
    }
}
