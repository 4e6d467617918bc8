import Models
import Registry
import Training

/// How well networks did on the validation set while they were distilled.
struct Distillations {
    struct Layer {
        let layer: Int
        /// Variance explained after each epoch.
        let curve: [Double]
        /// Of the weights that were kept: those of the lowest validation loss.
        let explained: Double?
        /// By position in the sentence.
        let cosine: [Int: Double]
    }

    struct Network {
        let label: String
        let attention: Attention
        let layers: [Layer]
    }

    /// By attention, then as the families are listed. Only those that stand in some scored model, if there is one.
    let networks: [Network]

    init(_ evidence: Evidence) throws {
        let scored = Set(
            evidence.replaced.flatMap(\.model.specs).map { "\($0.family.name)-\($0.size).\($0.attention)" })
        let runs: [(RecordedRun, Spec)] = evidence.finished("distill").compactMap { run in
            guard let spec = run.spec.flatMap({ Spec($0) }) else { return nil }
            return scored.isEmpty || scored.contains("\(spec.family.name)-\(spec.size).\(spec.attention)")
                ? (run, spec) : nil
        }
        let points = Dictionary(
            grouping: try evidence.registry.metrics(
                of: runs.map(\.0.id), like: "layer.*.valid.loss", "layer.*.valid.explained", "layer.*.valid.cosine.*"),
            by: \.run)
        let severalRuns = Set(runs.map(\.0.name)).count > 1
        networks = runs.map { run, spec in
            let layers = Dictionary(grouping: points[run.id] ?? []) { MetricKey($0.key)?.layer ?? -1 }
            return Network(
                label: (severalRuns ? run.name + ": " : "") + "\(spec.family.name)-\(spec.size)"
                    + (spec.layer.map { " layer \($0)" } ?? ""),
                attention: spec.attention,
                layers: layers.keys.filter { $0 >= 0 }.sorted().map { Layer($0, layers[$0]!) })
        }.sorted { a, b in
            func order(_ network: Network) -> Int { Attention.allCases.firstIndex(of: network.attention)! }
            return (order(a), a.label) < (order(b), b.label)
        }
    }
}

extension Distillations.Layer {
    fileprivate init(_ layer: Int, _ points: [MetricPoint]) {
        let values = points.compactMap { point in MetricKey(point.key).map { ($0, point.step, point.value) } }
        let best = values.filter { $0.0.quantity == .loss }.min { $0.2 < $1.2 }?.1
        let explained = values.filter { $0.0.quantity == .explained }
        self.layer = layer
        curve = explained.map(\.2)
        self.explained = explained.first { $0.1 == best }?.2
        cosine = Dictionary(
            values.filter { $0.0.quantity == .cosine && $0.1 == best }.compactMap { key, _, value in
                key.position.map { ($0, value) }
            },
            uniquingKeysWith: { first, _ in first })
    }
}
