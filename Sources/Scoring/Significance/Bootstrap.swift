/// How far a corpus score would move with other test sentences of the same kind.
public struct Confidence: Equatable, Sendable {
    /// The mean over resamples.
    public var mean: Double
    /// Half the width of the interval that holds 95% of the resamples.
    public var halfWidth: Double
}

/// Bootstrap resampling: a corpus of n sentences is drawn n times with replacement, again and again, and scored each
/// time.
///
/// Source: Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".
public struct Bootstrap: Sendable {
    /// How many corpora are drawn.
    public var resamples: Int
    public var seed: UInt64

    public init(resamples: Int = 1000, seed: UInt64 = 12345) {
        self.resamples = resamples
        self.seed = seed
    }

    /// The 95% confidence interval of a corpus score.
    public func confidence<Metric: CorpusMetric>(_ metric: Metric, _ rows: [StatisticsRow]) -> Confidence {
        let scores = self.scores(metric, rows)
        let mean = Means.exact(scores.values)
        return Confidence(mean: scores.isSingle ? Double(Float(mean)) : mean, halfWidth: scores.halfWidth)
    }

    /// The interval that holds 95% of the differences system - baseline, both scored on the same resampled corpora.
    public func difference<Metric: CorpusMetric>(
        _ metric: Metric, baseline: [StatisticsRow], system: [StatisticsRow]
    ) -> ClosedRange<Double> {
        precondition(resamples > 0, "no interval of no resamples")
        let pairs = zip(scores(metric, system).values, scores(metric, baseline).values)
        let sorted = pairs.map { $0 - $1 }.sorted(), tail = sorted.count / 40
        return sorted[tail]...sorted[sorted.count - 1 - tail]
    }

    /// The score of every resample.
    func scores<Metric: CorpusMetric>(_ metric: Metric, _ rows: [StatisticsRow]) -> ScoreSample {
        let rows = rows.map { SIMD32<Float>($0) }
        var generator = PCG64(seed: seed)
        var scores = ScoreSample()
        for _ in 0..<resamples {
            var sums = SIMD32<Float>()
            for _ in rows.indices {
                let row = rows[generator.integer(below: UInt32(rows.count))]
                // By halves: additions of 32 floats at once are not vectorised, those of 16 are.
                sums.lowHalf += row.lowHalf
                sums.highHalf += row.highHalf
            }
            scores.append(metric.resampledScore(of: sums))
        }
        return scores
    }
}

/// Scores of many resampled corpora, in the precision that NumPy would hold them in.
struct ScoreSample {
    private(set) var values: [Double] = []
    /// Whether all are single: one double among them makes a NumPy array double.
    private(set) var isSingle = true

    mutating func append(_ score: ResampledScore) {
        values.append(score.value)
        isSingle = isSingle && score.isSingle
    }

    /// Half the distance between the 2.5% and the 97.5% quantile.
    var halfWidth: Double {
        let sorted = values.sorted()
        let tail = sorted.count / 40
        let (lower, upper) = (sorted[tail], sorted[sorted.count - 1 - tail])
        return isSingle ? Double(0.5 * (Float(upper) - Float(lower))) : 0.5 * (upper - lower)
    }

    /// The mean in the sample's precision, of the sorted values: their order decides the last digit.
    var confidence: Confidence {
        let sorted = values.sorted()
        let mean = isSingle ? Double(Means.pairwise(sorted.map { Float($0) })) : Means.pairwise(sorted)
        return Confidence(mean: mean, halfWidth: halfWidth)
    }
}
