import GRDB

/// One measured value of a run.
public struct MetricPoint: Decodable, FetchableRecord, Sendable {
    public let run: Int64
    public let key: String
    public let step: Int
    public let value: Double
}

extension RunRegistry {
    /// The values of some runs whose keys look like one of the patterns (`layer.*.valid.loss`), by run, key and step.
    /// What is not a number is left out.
    public func metrics(of runs: some Sequence<Int64>, like patterns: String...) throws -> [MetricPoint] {
        guard !patterns.isEmpty else { return [] }
        return try read { database in
            try SQLRequest<MetricPoint>(
                literal: """
                    SELECT run, key, step, value FROM metrics
                    WHERE run IN \(Array(runs)) AND value IS NOT NULL AND (\(patterns.map { SQL("key GLOB \($0)") }.joined(separator: " OR ")))
                    ORDER BY run, key, step
                    """
            ).fetchAll(database)
        }
    }
}
