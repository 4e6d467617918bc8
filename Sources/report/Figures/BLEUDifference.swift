import Foundation

/// BLEU of each replaced model less the teacher's, by attention, family and size: the paper's bar chart, with
/// intervals.
struct BLEUDifference {
    let plot: Plot

    init(_ evidence: Evidence) throws {
        let title = "BLEU difference to the teacher"
        let groups = evidence.replaced.filter { $0.model.layer == nil && $0.mean(\.difference) != nil }
        guard !groups.isEmpty else {
            plot = .absent(title: title, reason: "no replaced model has been compared with a teacher")
            return
        }
        let searches = evidence.searches.filter { search in groups.contains { $0.search == search } }
        let layout = try Layout(groups, searches, evidence)
        let above = 32 + 21 * ((searches.count - 1) / 4)  // four names stand in a line of the key
        let left = Gnuplot.leftMargin(layout.tics.map(\.0)), height = Int(layout.depth * 20) + above + 60
        let (low, high) = (layout.ends.min()!, layout.ends.max()!), room = max(0.04 * (high - low), 0.05)
        let series = searches.enumerated().map { index, search in
            "'bleu-difference.csv' skip 1 using (strcol(3) eq \(Gnuplot.quote(search)) ? $5 : NaN):4:6:7 with "
                + "xerrorbars pt \(Palette.point(index)) ps 0.55 lw 1.4 lc rgb \(Palette.color(index)) title "
                + "\(Gnuplot.quote(search))"
        }
        plot = .figure(
            Figure(
                "bleu-difference", title, caption: Self.caption(groups, evidence), height: height,
                data: CSV(
                    ["attentions", "model", "search", "y", "difference", "low", "high", "p", "runs"], layout.rows),
                commands: """
                    set border 1
                    \(Gnuplot.margins(left: left, right: 0.97, above: above, below: 58, of: height))
                    set yrange [\(Gnuplot.number(layout.depth - 0.1)):-0.8]
                    set ytics scale 0 \(Gnuplot.tics(layout.tics))
                    set xrange [\(Gnuplot.number(low - room)):\(Gnuplot.number(high + room))]
                    set xtics \(Gnuplot.number(Gnuplot.step(high - low, in: 5)))
                    set xlabel 'BLEU less the teacher’s' offset 0, 0.8
                    set grid x lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                    set key at screen 0.97, screen 0.995 right top horizontal maxcols 4 samplen 0.5 reverse Left
                    set arrow from 0, graph 0 to 0, graph 1 nohead lw 1.2 lc rgb '\(Palette.faint)'
                    \(Gnuplot.headings(layout.headings))
                    plot \(series.joined(separator: ", \\\n     "))
                    """))
    }

    /// A line for each model, under a heading for each place; searches of a model beside each other.
    private struct Layout {
        private(set) var headings: [(String, Double)] = []
        private(set) var tics: [(String, Double)] = []
        private(set) var rows: [[String]] = []
        /// Of all intervals, and 0.
        private(set) var ends = [0.0]
        private(set) var depth = 0.0

        init(_ groups: [ScoreGroup], _ searches: [String], _ evidence: Evidence) throws {
            for (place, all) in groups.grouped(by: \.model.places) {
                headings.append((place, depth))
                depth += 1
                for (label, some) in all.grouped(by: evidence.label) {
                    tics.append((Gnuplot.short(label, to: 28), depth))
                    for group in some {
                        let index = Double(searches.firstIndex(of: group.search)!), last = Double(searches.count - 1)
                        try add(group, place, label, at: depth + 0.36 * (index - last / 2) / max(1, last), evidence)
                    }
                    depth += 1
                }
                depth += 0.4
            }
        }

        private mutating func add(
            _ group: ScoreGroup, _ place: String, _ label: String, at y: Double, _ evidence: Evidence
        ) throws {
            let bounds = try DifferenceInterval(group, evidence)
            ends += [bounds.low, bounds.high].compactMap { $0 }
            rows.append(
                [place, label, group.search]
                    + [y, group.mean(\.difference), bounds.low, bounds.high, group.p].map(Gnuplot.number)
                    + ["\(group.members.count)"])
        }
    }

    private static func caption(_ groups: [ScoreGroup], _ evidence: Evidence) -> String {
        let best = groups.max { $0.mean(\.difference)! < $1.mean(\.difference)! }!,
            worst = groups.min { $0.mean(\.difference)! < $1.mean(\.difference)! }!
        func words(_ group: ScoreGroup) -> String {
            let difference = Phrasing.difference(group.mean(\.difference)!)
            return "\(evidence.label(group)) at \(group.model.places) (\(group.search), \(difference))"
        }
        return "A point right of the line translates better than the teacher with the same search. Highest: "
            + "\(words(best)); lowest: \(words(worst)). \(DifferenceInterval.words(groups)) \(Phrasing.runs(groups))"
    }
}

/// How far a difference in BLEU may be off: over seeds, or over test sentences where there is one seed.
struct DifferenceInterval {
    let low: Double?
    let high: Double?

    init(_ group: ScoreGroup, _ evidence: Evidence) throws {
        guard let mean = group.mean(\.difference) else { (low, high) = (nil, nil); return }
        if let spread = group.spread(\.difference) {
            (low, high) = (mean - spread, mean + spread)
        } else {
            let interval = try evidence.translations.interval(group.first)
            // without the texts there is a point and no bar
            (low, high) = (interval?.lowerBound ?? mean, interval?.upperBound ?? mean)
        }
    }

    /// What the bars of these are.
    static func words(_ groups: [ScoreGroup]) -> String {
        groups.contains { $0.members.count > 1 }
            ? "Bars are one standard deviation over seeds, or, of a single run, the 95% interval of a paired bootstrap "
                + "over test sentences."
            : "Bars are the 95% interval of the difference over resampled test sets (paired bootstrap): where one "
                + "crosses zero, the two may well be equal."
    }
}
