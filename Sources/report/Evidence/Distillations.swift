import Models
import Registry
import Training

/// How well networks did on the validation set while they were distilled.
struct Distillations {
    struct Layer {
        let layer: Int
        /// Variance explained after each epoch, of each seed.
        let curves: [[Double]]
        /// Of the weights that were kept: those of the lowest validation loss. Mean over seeds.
        let explained: Double?
        /// By position in the sentence, mean over seeds.
        let cosine: [Int: Double]
    }

    struct Network {
        let label: String
        let attention: Attention
        let layers: [Layer]
        /// Distillations behind it, one a seed.
        let runs: Int
    }

    /// By attention, then by name; seeds together. Only those that were validated, and that stand in some scored model
    /// if there is one.
    let networks: [Network]
    var runs: Int { networks.reduce(0) { $0 + $1.runs } }

    init(_ evidence: Evidence) throws {
        let scored = Set(evidence.replaced.flatMap(\.model.specs).map(\.withoutLayer))
        let runs: [(run: RecordedRun, spec: Spec)] = evidence.finished("distill").compactMap { run in
            guard let spec = run.spec.flatMap({ Spec($0) }) else { return nil }
            return scored.isEmpty || scored.contains(spec.withoutLayer) ? (run, spec) : nil
        }
        let points = Dictionary(
            grouping: try evidence.registry.metrics(
                of: runs.map(\.run.id),
                like: "layer.*.valid.loss", "layer.*.valid.explained", "layer.*.valid.cosine.*"),
            by: \.run)
        networks = runs.grouped { "\(ScoreGroup.series($0.run.name))\n\($0.spec)" }.map { _, seeds in
            let (run, spec) = seeds[0]
            let values = seeds.map { seed in
                Dictionary(grouping: points[seed.run.id] ?? []) { MetricKey($0.key)?.layer ?? -1 }
            }
            let layers = Set(values.flatMap(\.keys)).filter { $0 >= 0 }.sorted()
            return Network(
                label: (evidence.hasSeveralSeries ? ScoreGroup.series(run.name) + ": " : "") + spec.networkName
                    + (spec.layer.map { " layer \($0)" } ?? ""),
                attention: spec.attention,
                layers: layers.map { layer in Layer(layer, values.compactMap { $0[layer] }.map(LayerValues.init)) },
                runs: seeds.count)
        }.filter { $0.layers.contains { !$0.curves.allSatisfy(\.isEmpty) } }.sorted { a, b in
            func order(_ network: Network) -> Int { Attention.allCases.firstIndex(of: network.attention)! }
            return (order(a), a.label) < (order(b), b.label)
        }
    }
}

/// What one distillation measured of a layer.
private struct LayerValues {
    let curve: [Double]
    let explained: Double?
    let cosine: [Int: Double]

    init(_ points: [MetricPoint]) {
        let values = points.compactMap { point in MetricKey(point.key).map { ($0, point.step, point.value) } }
        let best = values.filter { $0.0.quantity == .loss }.min { $0.2 < $1.2 }?.1
        let explained = values.filter { $0.0.quantity == .explained }
        curve = explained.map(\.2)
        self.explained = explained.first { $0.1 == best }?.2
        cosine = Dictionary(
            values.filter { $0.0.quantity == .cosine && $0.1 == best }.compactMap { key, _, value in
                key.position.map { ($0, value) }
            },
            uniquingKeysWith: { first, _ in first })
    }
}

extension Distillations.Layer {
    fileprivate init(_ layer: Int, _ seeds: [LayerValues]) {
        self.layer = layer
        curves = seeds.map(\.curve)
        explained = seeds.compactMap(\.explained).mean
        let positions = Set(seeds.flatMap(\.cosine.keys))
        cosine = Dictionary(
            uniqueKeysWithValues: positions.map { place in (place, seeds.compactMap { $0.cosine[place] }.mean!) })
    }
}
