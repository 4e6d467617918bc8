import Foundation
import GRDB

/// One execution of a stage as it was recorded, with what it made.
public struct RecordedRun: Decodable, FetchableRecord, Sendable {
    public let id: Int64
    public let name: String
    public let stage: String
    public let spec: String?
    public let status: String
    /// JSON text.
    public let config: String
    public let argv: String
    public let version: String
    public let commit: String?
    public let isDirty: Bool?
    public let seed: Int64?
    public let threads: Int
    public let blas: String
    public let cpu: String
    private let startTime: String
    public let wallSeconds: Double?
    public let cpuSeconds: Double?
    public let peakBytes: Int?
    public let outputSHA256: String?
    public let outputBytes: Int?
    /// Where the output was last seen; from the registry's folder where it lies inside.
    private let outputPath: String?

    public var started: Date? { Time.date(startTime) }

    /// The words of its command.
    public var arguments: [String] { (try? JSONDecoder().decode([String].self, from: Data(argv.utf8))) ?? [] }

    /// The folder that it made, as the file system knows it.
    public func outputFolder(in registry: RunRegistry) -> String? { outputPath.map(registry.onDisk) }
}

extension RunRegistry {
    /// All runs of these folders, whatever became of them, in the order in which they started.
    public func runs(of names: [String]) throws -> [RecordedRun] { try recordedRuns("runs.name IN \(names)") }

    public func runs(_ ids: some Sequence<Int64>) throws -> [RecordedRun] {
        try recordedRuns("runs.id IN \(Array(ids))")
    }

    private func recordedRuns(_ condition: SQL) throws -> [RecordedRun] {
        try read { database in
            try SQLRequest<RecordedRun>(
                literal: """
                    SELECT runs.id, runs.name, runs.stage, runs.spec, runs.status, runs.config, runs.argv, runs.version,
                           runs.git_commit AS "commit", runs.git_dirty AS isDirty, runs.seed, runs.threads, runs.blas, runs.cpu,
                           runs.started AS startTime, runs.wall_seconds AS wallSeconds, runs.cpu_seconds AS cpuSeconds,
                           runs.peak_rss_bytes AS peakBytes, made.artifact AS outputSHA256, artifacts.bytes AS outputBytes,
                           (SELECT path FROM artifact_paths WHERE artifact_paths.artifact = made.artifact
                            ORDER BY removed IS NOT NULL, seen DESC, path LIMIT 1) AS outputPath
                    FROM runs
                    LEFT JOIN run_io made ON made.run = runs.id AND made.direction = 'out' AND made.role = runs.stage
                    LEFT JOIN artifacts ON artifacts.sha256 = made.artifact
                    WHERE \(condition)
                    ORDER BY runs.id
                    """
            ).fetchAll(database)
        }
    }
}
