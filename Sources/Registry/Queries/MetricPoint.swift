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
    /// A run that went on where another had stopped has that one's values too, and its own where both have measured.
    /// What is not a number is left out.
    package func metrics(of runs: some Sequence<Int64>, like patterns: String...) throws -> [MetricPoint] {
        guard !patterns.isEmpty else { return [] }
        return try read { database in
            // the limit of age is for a registry that somebody has led in circles
            let fits = patterns.map { SQL("key GLOB \($0)") }.joined(separator: " OR ")
            return try SQLRequest<MetricPoint>(
                literal: """
                    WITH RECURSIVE parts (whole, part, age) AS (
                      SELECT id, id, 0 FROM runs WHERE id IN \(Array(runs))
                      UNION ALL
                      SELECT whole, resumed_from, age + 1 FROM parts JOIN runs ON id = part
                      WHERE resumed_from IS NOT NULL AND age < 1000)
                    SELECT whole AS run, key, step, value, min(age) FROM parts JOIN metrics ON run = part
                    WHERE value IS NOT NULL AND (\(fits))
                    GROUP BY whole, key, step
                    ORDER BY whole, key, step
                    """
            ).fetchAll(database)
        }
    }
}
