import Foundation
import Models

/// One layer replaced at a time, by attention.
struct SingleLayers {
    let plot: Plot

    init(_ evidence: Evidence) throws {
        let title = "One layer at a time"
        let groups = evidence.replaced.filter {
            $0.model.layer != nil && $0.mean(\.difference) != nil && $0.search == evidence.searches.first
        }
        guard !groups.isEmpty else {
            plot = .absent(
                title: title, reason: "no model has a single layer replaced; LAYERS=\"0 1 2 3 4 5\" adds them")
            return
        }
        let series = groups.grouped { "\(evidence.label($0)) \($0.model.specs[0].attention)" }
        let step = min(0.12, 0.8 / Double(series.count))  // of one layer, within it
        var rows: [[String]] = []
        for (index, (name, all)) in series.enumerated() {
            for group in all {
                let layer = Double(group.model.layer!), shift = step * (Double(index) - Double(series.count - 1) / 2)
                let bounds = try DifferenceInterval(group, evidence)
                rows.append(
                    [
                        name, "\(group.model.layer!)", Gnuplot.number(layer + shift),
                        Gnuplot.number(group.mean(\.difference)),
                    ]
                        + [bounds.low, bounds.high, group.p].map(Gnuplot.number))
            }
        }
        let layers = groups.map { $0.model.layer! }.max()!
        let curves = series.indices.map { index in
            "'single-layers.csv' skip 1 using (strcol(1) eq \(Gnuplot.quote(series[index].0)) ? $3 : NaN):4:5:6 with "
                + "yerrorbars pt \(Palette.point(index)) ps 0.6 lw 1.4 lc rgb \(Palette.color(index)) title "
                + "\(Gnuplot.quote(series[index].0))"
        }
        plot = .figure(
            Figure(
                "single-layers", title,
                caption:
                    "BLEU less the teacher’s where one layer’s attention alone was replaced "
                    + "(\(evidence.searches.first ?? "")). \(DifferenceInterval.words(groups)) "
                    + Phrasing.runs(groups),
                height: 330, data: CSV(["model", "layer", "x", "difference", "low", "high", "p"], rows),
                commands: """
                    set xrange [-0.6:\(layers).6]
                    set xtics 1
                    set xlabel 'layer replaced' offset 0, 0.4
                    set ylabel 'BLEU less the teacher’s'
                    set grid y lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                    set arrow from graph 0, first 0 to graph 1, first 0 nohead lw 1.2 lc rgb '\(Palette.faint)'
                    set key outside bottom center horizontal samplen 0.5
                    plot \(curves.joined(separator: ", \\\n     "))
                    """))
    }
}
