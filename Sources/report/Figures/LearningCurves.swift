import Foundation
import Models
import Registry
import Training

/// How the teacher, the networks and the models trained in place have learnt.
struct LearningCurves {
    let plots: [Plot]

    init(_ evidence: Evidence) throws {
        plots = [try Self.teacher(evidence)] + (try Self.distillation(evidence)) + [try Self.inPlace(evidence)]
    }

    private static func teacher(_ evidence: Evidence) throws -> Plot {
        let title = "The teacher learns", runs = evidence.finished("train").filter { $0.spec == nil }
        let points = try evidence.registry.metrics(of: runs.map(\.id), like: "train.loss", "valid.loss", "valid.nll")
        guard !points.isEmpty else { return .absent(title: title, reason: "no teacher was trained in these runs") }
        let keys = ["train.loss", "valid.loss", "valid.nll"].filter { key in points.contains { $0.key == key } }
        let names = ["train.loss": "training loss", "valid.loss": "validation loss", "valid.nll": "validation NLL"]
        let last = points.filter { $0.key == "valid.nll" }.map(\.value).min()
        let curves = keys.flatMap { key in runs.map { (key, "\($0.id)", names[key]!) } }
        return .figure(
            Figure(
                "teacher-curve", title,
                caption: "Cross-entropy in nats a target token, the first two with label smoothing"
                    + (last.map {
                        String(format: "; the best negative log-likelihood on the validation set is %.3f", $0)
                    } ?? "") + ". "
                    + (runs.count == 1 ? "One run." : "\(runs.count) runs."),
                height: 330,
                data: CSV(
                    ["quantity", "run", "step", "value"],
                    points.map { [$0.key, "\($0.run)", "\($0.step)", Gnuplot.number($0.value)] }),
                commands: """
                    set xlabel 'step' offset 0, 0.4
                    set ylabel 'nats a token'
                    set yrange [0:*]
                    set grid y lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                    set key outside bottom center horizontal samplen 1.5
                    plot \(lines("teacher-curve", curves, color: { keys.firstIndex(of: $0.0)! }))
                    """))
    }

    private static func inPlace(_ evidence: Evidence) throws -> Plot {
        let title = "Training in place", runs = try trainedInPlace(evidence)
        let points = try evidence.registry.metrics(of: runs.map(\.id), like: "valid.nll")
        guard !points.isEmpty else {
            return .absent(
                title: title, reason: "no model was trained in place in these runs; INPLACE names those that shall be")
        }
        let teacher = try evidence.registry.metrics(
            of: evidence.finished("train").filter { $0.spec == nil }.map(\.id), like: "valid.nll")
        // of several runs, each has a teacher of its own
        let least = evidence.hasSeveralSeries ? nil : teacher.map(\.value).min(), ids = Set(points.map(\.run))
        let curves = runs.filter { ids.contains($0.id) }.map { ($0.name, "\($0.id)", $0.name) }
        let models = curves.map(\.0).grouped { $0 }.map(\.key)
        let names = Dictionary(runs.map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
        let color = { (curve: (String, String, String)) in models.firstIndex(of: curve.0)! }
        let values = points.map(\.value) + (least.map { [$0] } ?? [])
        let floor = max(0, values.min()! - 0.1 * (values.max()! - values.min()!))
        let best =
            least.map {
                ", \(Gnuplot.number($0)) with lines dt 2 lw 1.2 lc rgb \(Palette.color(6)) notitle"
            } ?? ""
        return .figure(
            Figure(
                "in-place-curve", title,
                caption:
                    "Negative log-likelihood of a token of the validation set’s references, in nats, after each epoch "
                    + "in which the networks were trained where they stand"
                    + (least.map { String(format: "; the dashed line is the teacher’s best, %.3f", $0) } ?? "")
                    + ". It is usually higher where they learn the teacher’s translations (--teacher-beam). "
                    + (curves.count == 1 ? "One run." : "\(curves.count) runs."),
                height: 310 + 22 * models.count,
                data: CSV(
                    ["model", "run", "step", "value"],
                    points.map { [names[$0.run]!, "\($0.run)", "\($0.step)", Gnuplot.number($0.value)] }),
                commands: """
                    set xlabel 'step' offset 0, 0.4
                    set ylabel 'nats a token'
                    set xrange [0:*]
                    set xtics \(Gnuplot.number(Gnuplot.step(points.map { Double($0.step) }.max()!, in: 6)))
                    set offsets 0, 0, graph 0.08, graph 0.08
                    set yrange [\(Gnuplot.number(floor)):*]
                    set grid y lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                    set key outside bottom center vertical maxrows \(models.count) samplen 1.5
                    plot \(lines("in-place-curve", curves, color: color, points: true))\(best)
                    """))
    }

    /// The trainings in place behind the scored models, each with its model's name; where none is scored, all.
    private static func trainedInPlace(_ evidence: Evidence) throws -> [(id: Int64, name: String)] {
        let all = evidence.finished("train").filter { $0.spec != nil },
            ids = Set(evidence.runs.filter { $0.stage == "train" && $0.spec != nil }.map(\.id))
        func name(_ series: String, _ model: ModelName) -> String {
            (evidence.hasSeveralSeries ? series + ": " : "") + "\(model.networks) at \(model.places)"
        }
        let scored = try evidence.replaced.filter(\.model.isInPlace).flatMap { group in
            try group.members.compactMap { row in
                try evidence.registry.ancestors(of: row.run).first(where: ids.contains).map {
                    (id: $0, name: name(group.series, group.model))
                }
            }
        }
        guard scored.isEmpty else {
            return scored.grouped { "\($0.id)" }.map(\.members[0])
        }
        return all.map { ($0.id, name(ScoreGroup.series($0.name), ModelName($0.spec! + ".inplace"))) }
    }

    /// A line for each (value of the first column, of the second), named once for each name.
    private static func lines(
        _ figure: String, _ curves: [(String, String, String)], color: ((String, String, String)) -> Int,
        points: Bool = false
    ) -> String {
        var named: Set<String> = []
        return curves.map { curve in
            let index = color(curve),
                title = named.insert(curve.2).inserted ? "title \(Gnuplot.quote(curve.2))" : "notitle"
            let isOwn = "strcol(1) eq \(Gnuplot.quote(curve.0)) && strcol(2) eq '\(curve.1)'"
            return "'\(figure).csv' skip 1 using (\(isOwn) ? $3 : NaN):4 with "
                + "\(points ? "linespoints pt \(Palette.point(index)) ps 0.5" : "lines") lw 1.5 lc rgb "
                + "\(Palette.color(index)) \(title)"
        }.joined(separator: ", \\\n     ")
    }

    private static func distillation(_ evidence: Evidence) throws -> [Plot] {
        let distilled = try Distillations(evidence)
        guard !distilled.networks.isEmpty else {
            return [
                .absent(title: "Networks learn by layer", reason: "nothing was distilled and validated in these runs")
            ]
        }
        return distilled.networks.grouped(by: \.attention.rawValue).map { attention, networks in
            let name = "distillation-\(attention)",
                epochs = networks.flatMap { $0.layers.flatMap { $0.curves.map(\.count) } }.max() ?? 0
            let columns = networks.enumerated().flatMap { index, network in
                network.layers.flatMap { layer in
                    layer.curves.enumerated().map { seed, curve in
                        let which = network.runs > 1 ? ", seed \(seed + 1) of \(network.runs)" : ""
                        return (index, network.label, "layer \(layer.layer)\(which)", curve)
                    }
                }
            }
            let values = (0..<epochs).map { epoch in
                ["\(epoch + 1)"] + columns.map { epoch < $0.3.count ? Gnuplot.number($0.3[epoch]) : "NaN" }
            }
            let width = networks.map { Gnuplot.width($0.label) + 75 }.max()!, across = max(1, 480 / width),
                rows = (networks.count + across - 1) / across
            let least = columns.flatMap(\.3).min() ?? 0, runs = networks.reduce(0) { $0 + $1.runs }
            var named: Set<Int> = []
            let curves = columns.enumerated().map { column, series in
                let title = named.insert(series.0).inserted ? Gnuplot.quote(series.1) : "''"
                return
                    "'\(name).csv' skip 1 using 1:\(column + 2) with linespoints pt \(Palette.point(series.0)) ps 0.35 "
                    + "lw 1.1 lc rgb \(Palette.color(series.0)) "
                    + (title == "''" ? "notitle" : "title \(title)")
            }
            return .figure(
                Figure(
                    name, "Networks learn: \(attention) attention",
                    caption:
                        "Share of the variance of the attention’s output that a network explains on the validation "
                        + "set, after each epoch of distillation; a line for each "
                        + "layer\(runs > networks.count ? " and seed" : ""). "
                        + (runs == 1 ? "One distillation" : "\(runs) distillations")
                        + ", \(columns.count) lines in all.",
                    height: 310 + 22 * rows, data: CSV(["epoch"] + columns.map { "\($0.1) \($0.2)" }, values),
                    commands: """
                        set xlabel 'epoch' offset 0, 0.4
                        set xtics \(max(1, (epochs + 9) / 10))
                        set xrange [0.8:\(epochs).2]
                        set ylabel 'variance explained'
                        set yrange [\(Gnuplot.number(least < 0 ? least : (least * 10).rounded(.down) / 10)):1]
                        set grid y lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                        set key outside bottom center vertical maxrows \(rows) samplen 1.5
                        plot \(curves.joined(separator: ", \\\n     "))
                        """))
        }
    }
}
