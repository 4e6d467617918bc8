/// The scores of one system, written as sacreBLEU writes them.
package struct ScoreReport: Sendable {
    package struct Entry: Sendable {
        /// `BLEU`, `chrF2`.
        package var name: String
        /// 0...100.
        package var score: Double
        package var signature: Signature
        package var confidence: Confidence?
        /// The components in words, when the metric has any.
        package var verbose: String?

        package init(_ score: some CorpusScore, signature: Signature, confidence: Confidence? = nil) {
            self.name = score.name
            self.score = score.score
            self.signature = signature
            self.confidence = confidence
            self.verbose = score.verbose
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// Scores a system by every metric, with a confidence interval from each when a bootstrap is given.
    ///
    /// - Parameter references: one or more lists, each with a reference for every hypothesis
    package init(
        hypotheses: [String], references: [[String]],
        metrics: [any CorpusMetric] = [BLEU(), CHRF()], bootstrap: Bootstrap? = nil
    ) throws {
        self.init(try metrics.map { try Self.entry($0, hypotheses, references, bootstrap) })
    }

    private static func entry(
        _ metric: some CorpusMetric, _ hypotheses: [String], _ references: [[String]], _ bootstrap: Bootstrap?
    ) throws -> Entry {
        let rows = try metric.statistics(hypotheses: hypotheses, references: references)
        var signature = metric.signature
        signature.references = references.count
        signature.bootstrap = bootstrap?.resamples
        signature.seed = bootstrap?.seed
        return Entry(metric.score(of: rows), signature: signature, confidence: bootstrap?.confidence(metric, rows))
    }

    /// A list of objects, one a metric, whatever their number: `sacrebleu --format json` with two metrics or more.
    ///
    /// Scores are full doubles unless digits are asked for; the components in words keep their own.
    package func json(_ digits: Decimals = .full) -> String {
        "[\n" + entries.map { $0.json(digits) }.joined(separator: ",\n") + "\n]"
    }

    /// A line for each metric, aligned at the equals sign: `sacrebleu --format text`.
    package func text(_ digits: Decimals = .fixed(1)) -> String {
        let width = entries.map(\.title.count).max() ?? 0
        return entries.map { entry in
            String(repeating: " ", count: width - entry.title.count) + entry.line(digits)
        }.joined(separator: "\n")
    }
}

extension ScoreReport.Entry {
    /// Name and signature.
    fileprivate var title: String { "\(name)|\(signature)" }

    fileprivate func line(_ digits: Decimals) -> String {
        var line = "\(title) = \(digits.text(score))"
        if let interval = interval(digits) { line += " (\(interval))" }
        if let verbose { line += " \(verbose)" }
        return line
    }

    fileprivate func json(_ digits: Decimals) -> String {
        var members = [
            (key: "name", value: PythonJSON.string(name)),
            (key: "score", value: digits.json(score)),
            (key: "signature", value: PythonJSON.string(signature.description)),
        ]
        if let confidence, let interval = interval(digits) {
            members.append(("confidence_mean", digits.json(confidence.mean)))
            members.append(("confidence_var", digits.json(confidence.halfWidth)))
            members.append(("confidence", PythonJSON.string(interval)))
        }
        if let verbose { members.append(("verbose_score", PythonJSON.string(verbose))) }
        members += signature.fields.map { ($0.key, PythonJSON.string($0.value)) }
        return PythonJSON.object(members, indent: 1)
    }

    /// Left out when the mean is 0, as sacreBLEU leaves it out.
    private func interval(_ digits: Decimals) -> String? {
        guard let confidence, confidence.mean > 0 else { return nil }
        return "μ = \(digits.text(confidence.mean)) ± \(digits.text(confidence.halfWidth))"
    }
}
