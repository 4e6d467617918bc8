/// Systems compared with a baseline, written as sacreBLEU's JSON of paired tests: one object a system, the baseline
/// first.
package struct PairedReport: Sendable {
    /// One compared system under every metric.
    package struct Comparison: Sendable {
        package var system: String
        /// Metric name and result, in the order in which they are written.
        package var results: [(metric: String, result: PairedResult)]

        package init(system: String, results: [(metric: String, result: PairedResult)]) {
            self.system = system
            self.results = results
        }
    }

    package var baseline: String
    package var comparisons: [Comparison]

    package init(baseline: String, comparisons: [Comparison]) {
        self.baseline = baseline
        self.comparisons = comparisons
    }

    /// Full doubles; a value that a test does not give is `null`.
    package func json() -> String {
        guard let first = comparisons.first else { return "[]" }
        let rows =
            [Self.row("Baseline: \(baseline)", first.results.map { ($0.metric, $0.result.baseline) })]
            + comparisons.map { Self.row($0.system, $0.results.map { ($0.metric, $0.result.system) }) }
        return "[\n" + rows.joined(separator: ",\n") + "\n]"
    }

    private static func row(_ name: String, _ results: [(metric: String, system: PairedResult.System)]) -> String {
        let metrics = results.map { result in
            """
                    \(PythonJSON.string(result.metric, ascii: true)): {
                        "score": \(number(result.system.score)),
                        "p_value": \(number(result.system.p)),
                        "mean": \(number(result.system.confidence?.mean)),
                        "ci": \(number(result.system.confidence?.halfWidth))
                    }
            """
        }
        let members = ["        \"system\": \(PythonJSON.string(name, ascii: true))"] + metrics
        return "    {\n" + members.joined(separator: ",\n") + "\n    }"
    }

    private static func number(_ value: Double?) -> String { value.map { Decimals.full.json($0) } ?? "null" }
}
