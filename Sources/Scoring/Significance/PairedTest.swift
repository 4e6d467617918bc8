/// Is the difference between two systems on one test set more than chance?
///
/// - **Paired bootstrap** (Koehn 2004): both systems are scored on the same resampled corpora, D_r being the absolute
///   difference; with d the difference on the real corpus, p = (1 + #{r : D_r - mean D > d}) / (1 + trials).
/// - **Approximate randomisation** (Riezler & Maxwell 2005): in every trial each sentence's two outputs are swapped or
///   not, by a coin; p = (1 + #{r : D_r > d}) / (1 + trials).
///
/// Both are two-sided. A small p speaks against the hypothesis that the two differ by chance only.
package struct PairedTest: Equatable, Sendable {
    package enum Method: String, CaseIterable, Sendable {
        case bootstrap = "paired-bs"
        case approximateRandomization = "paired-ar"

        package var defaultTrials: Int { self == .bootstrap ? 1_000 : 10_000 }
    }

    package var method: Method
    package var trials: Int
    package var seed: UInt64

    /// `trials` is 1,000 for the bootstrap and 10,000 for randomisation unless given.
    package init(_ method: Method, trials: Int? = nil, seed: UInt64 = 12345) {
        self.method = method
        self.trials = trials ?? method.defaultTrials
        self.seed = seed
    }

    /// The signature of scores that were compared by this test, with so many references of each sentence.
    package func signature(of metric: some CorpusMetric, references: Int) -> Signature {
        var signature = metric.signature
        signature.references = references
        signature.seed = seed
        if method == .bootstrap { signature.bootstrap = trials } else { signature.randomization = trials }
        return signature
    }

    /// Compares a system with a baseline by their sentences' statistics under one metric.
    package func compare<Metric: CorpusMetric>(
        _ metric: Metric, baseline: [StatisticsRow], system: [StatisticsRow]
    ) throws -> PairedResult {
        guard baseline.count == system.count else {
            throw ScoringError.unequalCounts(hypotheses: system.count, references: baseline.count)
        }
        guard !baseline.isEmpty else { throw ScoringError.noSentences }
        var result = PairedResult(
            baseline: .init(score: metric.score(of: baseline).score),
            system: .init(score: metric.score(of: system).score))
        switch method {
        case .bootstrap: bootstrap(metric, baseline, system, &result)
        case .approximateRandomization:
            result.system.p = randomized(metric, baseline, system, result.absoluteDifference)
        }
        return result
    }

    /// Compares the texts of a system with those of a baseline.
    ///
    /// - Parameter references: one or more lists, each with a reference for every sentence
    package func compare<Metric: CorpusMetric>(
        _ metric: Metric, baseline: [String], system: [String], references: [[String]]
    ) throws -> PairedResult {
        try compare(
            metric,
            baseline: metric.statistics(hypotheses: baseline, references: references),
            system: metric.statistics(hypotheses: system, references: references))
    }

    private func bootstrap<Metric: CorpusMetric>(
        _ metric: Metric, _ baseline: [StatisticsRow], _ system: [StatisticsRow], _ result: inout PairedResult
    ) {
        // The same seed draws the same corpora for both.
        let draws = Bootstrap(resamples: trials, seed: seed)
        let baselineScores = draws.scores(metric, baseline)
        let systemScores = draws.scores(metric, system)
        result.baseline.confidence = baselineScores.confidence
        result.system.confidence = systemScores.confidence
        if baselineScores.isSingle, systemScores.isSingle {
            result.system.p = p(
                systemScores.values.map { Float($0) }, baselineScores.values.map { Float($0) },
                result.absoluteDifference)
        } else {
            result.system.p = p(systemScores.values, baselineScores.values, result.absoluteDifference)
        }
    }

    private func p<Number: BinaryFloatingPoint>(
        _ system: [Number], _ baseline: [Number], _ difference: Double
    ) -> Double {
        let differences = zip(system, baseline).map { abs($0 - $1) }
        let mean = Means.pairwise(differences)
        return p(differences.count { $0 - mean > Number(difference) })
    }

    private func randomized<Metric: CorpusMetric>(
        _ metric: Metric, _ baseline: [StatisticsRow], _ system: [StatisticsRow], _ difference: Double
    ) -> Double {
        let systemSums = system.reduce(into: StatisticsRow()) { $0 &+= $1 }
        let bothSums = baseline.reduce(into: systemSums) { $0 &+= $1 }
        let exchanges = zip(baseline, system).map { $0 &- $1 }
        var coins = RandomBits(seed: seed)
        let larger = (0..<trials).count { _ in
            // Heads: the baseline's output goes to the first of the two shuffled systems, the system's to the second.
            var first = systemSums
            coins.forEachHead(of: exchanges.count) { first &+= exchanges[$0] }
            return abs(metric.score(of: first).score - metric.score(of: bothSums &- first).score) > difference
        }
        return p(larger)
    }

    private func p(_ larger: Int) -> Double { Double(larger + 1) / Double(trials + 1) }
}

/// Two systems under one metric.
package struct PairedResult: Equatable, Sendable {
    package struct System: Equatable, Sendable {
        package var score: Double
        /// Of the null hypothesis that the system does as well as the baseline; the baseline itself has none.
        package var p: Double?
        /// From the bootstrap's resamples; randomisation gives none.
        package var confidence: Confidence?
    }

    package var baseline: System
    package var system: System

    /// The absolute difference of the scores.
    package var absoluteDifference: Double { abs(baseline.score - system.score) }
}
