import Foundation
import Registry
import Stages

/// What the runs took: hours, memory and disk by stage, and when.
struct Costs {
    static let order = ["tokenize", "train", "capture", "distill", "splice", "score", "bench"]

    struct Stage {
        let name: String
        let runs: Int
        let hours: Double
        let processorHours: Double
        let peakGiB: Double
        let diskGiB: Double

        init(_ name: String, _ runs: [RecordedRun]) {
            self.name = name
            self.runs = runs.count
            hours = runs.compactMap(\.wallSeconds).reduce(0, +) / 3600
            processorHours = runs.compactMap(\.cpuSeconds).reduce(0, +) / 3600
            peakGiB = Double(runs.compactMap(\.peakBytes).max() ?? 0) / Double(1 << 30)
            let outputs = Dictionary(
                runs.compactMap { run in run.outputSHA256.map { ($0, run.outputBytes ?? 0) } }, uniquingKeysWith: { $1 }
            )
            diskGiB = Double(outputs.values.reduce(0, +)) / Double(1 << 30)
        }
    }

    let stages: [Stage]
    let plots: [Plot]

    init(_ evidence: Evidence) {
        let byStage = Dictionary(grouping: evidence.runs, by: \.stage)
        let names = byStage.keys.sorted {
            (Self.order.firstIndex(of: $0) ?? 99, $0) < (Self.order.firstIndex(of: $1) ?? 99, $1)
        }
        stages = names.map { Stage($0, byStage[$0]!) }
        plots = [Self.bars(stages), Timeline(evidence.runs, stages: names).plot]
    }

    private static func bars(_ stages: [Stage]) -> Plot {
        let total = stages.reduce(0) { $0 + $1.hours }, processor = stages.reduce(0) { $0 + $1.processorHours }
        let longest = stages.max { $0.hours < $1.hours }!
        let quantities: [(Int, String, (Stage) -> Double)] = [
            (3, "hours", \.hours), (5, "peak memory, GiB", \.peakGiB), (6, "written, GiB", \.diskGiB),
        ]
        let panels = quantities.enumerated().map { index, panel in
            let (column, title, value) = panel, most = max(stages.map(value).max()!, 1e-6),
                left = 0.17 + Double(index) * 0.285
            let names = index == 0 ? Gnuplot.tics(stages.enumerated().map { ($1.name, Double($0)) }) : "('' 0)"
            return """
                set lmargin at screen \(Gnuplot.number(left))
                set rmargin at screen \(Gnuplot.number(left + 0.165))
                set title '\(title)' font 'Helvetica,14' offset 0, -0.5
                set ytics scale 0 \(names)
                set xrange [0:\(Gnuplot.number(most))]
                digits(x) = sprintf(x < 0.0995 ? '%.3f' : '%.2f', x)
                plot 'costs.csv' skip 1 using (0):0:(0):\(column):($0-0.34):($0+0.34) with boxxyerror \\
                       lc rgb \(Palette.color(index)), \\
                     'costs.csv' skip 1 using \(column):0:(digits(column(\(column)))) with labels left offset 0.4, 0 \\
                       font 'Helvetica,12'
                """
        }
        return .figure(
            Figure(
                "costs", "Hours, memory and disk by stage",
                caption: String(
                    format:
                        "All runs of these names, whatever became of them: %@ in all, %.1f processor hours; %@ took "
                        + "%.0f%% of the time. Memory is the highest that a run of the stage reached, disk what "
                        + "its different outputs take.",
                    Format.duration(total * 3600), processor, longest.name,
                    total > 0 ? 100 * longest.hours / total : 0),
                height: stages.count * 22 + 50,
                data: CSV(
                    ["stage", "runs", "hours", "processor_hours", "peak_gib", "disk_gib"],
                    stages.map {
                        [$0.name, "\($0.runs)"]
                            + [$0.hours, $0.processorHours, $0.peakGiB, $0.diskGiB].map(Gnuplot.number)
                    }),
                commands: """
                    set border 0
                    unset xtics
                    set style fill solid noborder
                    set yrange [\(Gnuplot.number(Double(stages.count) - 0.4)):-0.6]
                    set tmargin at screen \(Gnuplot.number(1 - 34 / Double(stages.count * 22 + 50)))
                    set bmargin at screen 0.04
                    set multiplot
                    \(panels.joined(separator: "\n"))
                    unset multiplot
                    """))
    }
}

/// When each run was at work. Time in which nothing ran is left out.
struct Timeline {
    let plot: Plot

    init(_ all: [RecordedRun], stages: [String]) {
        let title = "Timeline"
        let runs = all.filter { $0.status != "running" && $0.started != nil && ($0.wallSeconds ?? 0) > 0 }
            .sorted { $0.started! < $1.started! }
        guard !runs.isEmpty else {
            plot = .absent(title: title, reason: "no run has ended")
            return
        }
        let (begins, breaks, clock) = Self.busyHours(runs)
        let unit = clock < 0.2 ? (60.0, "minutes") : (1.0, "hours"), width = clock * unit.0
        let rows = zip(runs, begins).map { run, begin in
            [
                run.stage, run.spec ?? "", run.status, Gnuplot.number(begin * unit.0),
                Gnuplot.number(max(begin * unit.0 + run.wallSeconds! / 3600 * unit.0, begin * unit.0 + width * 0.0025)),
                "\(stages.firstIndex(of: run.stage)!)",
            ]
        }
        let height = stages.count * 22 + 92
        let plots = [("finished", "eq", 0), ("not finished", "ne", 1)].map { name, comparison, color in
            "'timeline.csv' skip 1 using (strcol(3) \(comparison) 'finished' ? $4 : NaN):6:4:5:($6-0.34):($6+0.34) "
                + "with boxxyerror lc rgb \(Palette.color(color)) title '\(name)'"
        }
        let pauses = breaks.map {
            let x = Gnuplot.number($0 * unit.0)
            return "set arrow from \(x), graph 0 to \(x), graph 1 nohead dt 2 lc rgb '\(Palette.faint)'"
        }
        plot = .figure(
            Figure(
                "timeline", title,
                caption: "When each of \(runs.count) runs was at work, over \(Format.duration(clock * 3600))"
                    + (breaks.isEmpty
                        ? "."
                        : "; idle time is left out, and dashed lines stand where it was longer than ten minutes."),
                height: height, data: CSV(["stage", "spec", "status", "start", "end", "row"], rows),
                commands: """
                    set border 1
                    \(Gnuplot.margins(left: 0.17, right: 0.97, above: 32, below: 58, of: height))
                    set style fill solid noborder
                    set xrange [0:\(Gnuplot.number(width * 1.004))]
                    set yrange [\(Gnuplot.number(Double(stages.count) - 0.4)):-0.6]
                    set ytics scale 0 \(Gnuplot.tics(stages.enumerated().map { ($1, Double($0)) }))
                    set xlabel '\(unit.1)' offset 0, 0.8
                    set key at screen 0.97, screen 0.995 right top horizontal samplen 0.8 reverse Left
                    \(pauses.joined(separator: "\n"))
                    plot \(plots.joined(separator: ", \\\n     "))
                    """))
    }

    /// Hours at which each run begins when idle time does not count, those at which more than ten minutes of it are
    /// left out, and all of them.
    private static func busyHours(_ runs: [RecordedRun]) -> (begins: [Double], breaks: [Double], all: Double) {
        var begins: [Double] = [], busyUntil = runs[0].started!, clock = 0.0, breaks: [Double] = []
        for run in runs {
            let start = run.started!, end = start.addingTimeInterval(run.wallSeconds!)
            if start > busyUntil {
                if start.timeIntervalSince(busyUntil) > 600 { breaks.append(clock) }
                busyUntil = start
            }
            begins.append(clock - busyUntil.timeIntervalSince(start) / 3600)
            if end > busyUntil {
                clock += end.timeIntervalSince(busyUntil) / 3600
                busyUntil = end
            }
        }
        return (begins, breaks, clock)
    }
}
