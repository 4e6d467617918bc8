import GRDB

/// One measured value of a run.
package struct MetricPoint: Decodable, FetchableRecord, Sendable {
    package let run: Int64
    package let key: String
    package let step: Int
    package let value: Double
}

extension RunRegistry {
    /// The values of some runs whose keys look like one of the patterns (`layer.*.valid.loss`), by run, key and step.
    /// What is not a number is left out.
    package func metrics(of runs: some Sequence<Int64>, like patterns: String...) throws -> [MetricPoint] {
        guard !patterns.isEmpty else { return [] }
        return try read { database in
            let fits = patterns.map { SQL("key GLOB \($0)") }.joined(separator: " OR ")
            return try SQLRequest<MetricPoint>(
                literal: """
                    SELECT run, key, step, value FROM metrics
                    WHERE run IN \(Array(runs)) AND value IS NOT NULL AND (\(fits))
                    ORDER BY run, key, step
                    """
            ).fetchAll(database)
        }
    }
}
