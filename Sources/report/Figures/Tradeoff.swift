import Foundation
import Registry

/// BLEU against what a model costs, with the models that no other beats in both.
struct Tradeoff {
    enum Cost {
        case parameters, speed

        var name: String { self == .parameters ? "bleu-parameters" : "bleu-speed" }
        var title: String { self == .parameters ? "BLEU against parameters" : "BLEU against speed" }
        var axis: String { self == .parameters ? "parameters" : "output tokens a second" }
        /// Fewer parameters are better, more tokens a second are.
        var sign: Double { self == .parameters ? -1 : 1 }

        func value(_ row: ScoredModel) -> Double? {
            let value: Double? = self == .parameters ? row.parameters.map(Double.init) : row.tokensPerSecond
            return value.flatMap { $0 > 0 ? $0 : nil }  // a logarithm's
        }
    }

    private struct Point {
        let group: ScoreGroup
        let x: Double
        let y: Double
        /// No other beats it in both.
        var isBest = false
        var kind: String { group.isTeacher ? "teacher" : group.model.places }
    }

    let plot: Plot
    private static let width = 520.0, height = 400.0
    private static let left = 78.0, right = 500.0, top = 14.0, bottom = 280.0

    init(_ evidence: Evidence, _ cost: Cost) {
        let search = evidence.searches.first
        let groups = (evidence.teachers + evidence.replaced).filter { $0.search == search && $0.model.layer == nil }
        let points = Self.points(groups, cost)
        guard points.count > 1 else {
            plot = .absent(title: cost.title, reason: "fewer than two models have been scored")
            return
        }
        let front = points.filter(\.isBest).sorted { $0.x < $1.x }
        let lowest = Self.lowest(front.map(\.y)), shown = points.filter { $0.y >= lowest }
        let (fewest, most) = (shown.map(\.x).min()!, shown.map(\.x).max()!)
        let frame = Frame(shown.map { ($0.x, $0.y) }, isLogarithmic: most / fewest > 4)
        let below = points.filter { $0.y < lowest }.map {
            "\(evidence.label($0.group)) at \($0.group.model.places) (\(Frame.short($0.x)), "
                + String(format: "%.2f)", $0.y)
        }
        let rows = points.map { point in
            [
                point.kind, evidence.label(point.group), Gnuplot.number(point.x), Gnuplot.number(point.y),
                point.isBest ? "1" : "0", "\(point.group.members.count)",
            ]
        }
        let steps = front.map { "\(Gnuplot.number($0.x)),\(Gnuplot.number($0.y))" }.joined(separator: "\n")
        // gnuplot leaves names out that find no room in its key: three lines of two are within the usual height
        let lines = max(3, (Set(points.map(\.kind)).count + 1) / 2), more = Double(20 * (lines - 3)),
            height = Self.height + more
        let margins = frame.commands(
            left: Self.left / Self.width, right: Self.right / Self.width, top: 1 - Self.top / height,
            bottom: 1 - Self.bottom / height)
        let labels = Self.labels(
            shown.map { ($0.x, $0.y) }, front.map { ($0.x, $0.y, evidence.label($0.group)) }, frame)
        plot = .figure(
            Figure(
                cost.name, cost.title,
                caption: Self.caption(front.map(\.group), evidence, cost, search ?? "", groups)
                    + (below.isEmpty ? "" : " Below the frame: \(below.joined(separator: ", "))."),
                width: Int(Self.width), height: Int(height),
                data: CSV(
                    [
                        "attentions", "model", cost == .parameters ? "parameters" : "tokens_per_second", "bleu", "best",
                        "runs",
                    ], rows),
                commands: """
                    \(margins)
                    set xlabel '\(cost.axis)\(frame.isLogarithmic ? ", logarithmic" : "")' offset 0, 0.7
                    set ylabel 'BLEU' offset 2, 0
                    set grid lt 1 lw 0.4 lc rgb '\(Palette.faint)'
                    set key at screen 0.5, screen \(Gnuplot.number((58 + more) / height)) center top \
                    horizontal samplen 0.6 maxrows \(lines) width -1
                    \(labels.joined(separator: "\n"))
                    $front << END
                    \(steps)
                    END
                    plot $front using 1:2 with lines dt 2 lw 1 lc rgb '\(Palette.faint)' notitle, \\
                         \(Self.marks(points, cost).joined(separator: ", \\\n     "))
                    """))
    }

    private static func points(_ groups: [ScoreGroup], _ cost: Cost) -> [Point] {
        var points = groups.compactMap { group in
            group.mean(cost.value).flatMap { x in group.mean(\.bleu).map { Point(group: group, x: x, y: $0) } }
        }
        for index in points.indices {
            let own = points[index]
            points[index].isBest = !points.contains { other in
                let (gain, better) = (cost.sign * (other.x - own.x), other.y - own.y)
                return gain >= 0 && better >= 0 && (gain > 0 || better > 0)
            }
        }
        return points
    }

    private static func marks(_ points: [Point], _ cost: Cost) -> [String] {
        points.grouped(by: \.kind).map(\.key).enumerated().map { index, kind in
            "'\(cost.name).csv' skip 1 using (strcol(1) eq \(Gnuplot.quote(kind)) ? $3 : NaN):4 with points "
                + (kind == "teacher"
                    ? "pt 3 ps 1.1 lw 2 lc rgb \(Palette.color(6))"
                    : "pt \(Palette.point(index)) ps 0.8 lc rgb \(Palette.color(index))")
                + " title \(Gnuplot.quote(kind))"
        }
    }

    /// Where a frame of the front ends: what lies far below it would press it flat.
    static func lowest(_ front: [Double]) -> Double {
        let (least, most) = (front.min()!, front.max()!)
        return least - max(3 * (most - least), 3)
    }

    private static func caption(
        _ front: [ScoreGroup], _ evidence: Evidence, _ cost: Cost, _ search: String, _ groups: [ScoreGroup]
    ) -> String {
        let names = front.map { $0.isTeacher ? "the teacher" : "\(evidence.label($0)) at \($0.model.places)" }
        let what =
            cost == .parameters
            ? "has at most as many parameters and at least as much BLEU"
            : "is at least as fast with at least as much BLEU"
        let warning =
            cost == .speed
            ? " Speeds are those of scoring, on a machine that may have had other work: bench measures them in turn."
            : ""
        return
            "The line joins the models (\(search)) that no other beats in both: no other \(what). On it: "
            + "\(names.joined(separator: ", "))."
            + warning + " " + Phrasing.runs(groups)
    }

    /// Names beside the points of the front, each where it covers nothing; where there is no such place, none.
    private static func labels(
        _ points: [(Double, Double)], _ named: [(Double, Double, String)], _ frame: Frame
    ) -> [String] {
        func pixel(_ x: Double, _ y: Double) -> (Double, Double) {
            (left + (right - left) * frame.across(x), bottom - (bottom - top) * frame.up(y))
        }
        struct Box {
            let x: ClosedRange<Double>
            let y: ClosedRange<Double>
            func meets(_ other: Box) -> Bool { x.overlaps(other.x) && y.overlaps(other.y) }
        }
        var taken = points.map { point in
            let (x, y) = pixel(point.0, point.1)
            return Box(x: x - 5...x + 5, y: y - 5...y + 5)
        }
        return named.compactMap { x, y, name in
            let (px, py) = pixel(x, y), width = 8.5 * Double(name.count)
            for (dx, dy, side) in [
                (9.0, 0.0, "left"), (-9, 0, "right"), (0, -13, "center"), (0, 13, "center"), (9, -11, "left"),
                (9, 11, "left"), (-9, -11, "right"), (-9, 11, "right"),
            ] {
                let start = side == "left" ? px + dx : side == "right" ? px + dx - width : px - width / 2
                let box = Box(x: start...start + width, y: py + dy - 6...py + dy + 6)
                guard box.x.lowerBound > left, box.x.upperBound < right + 16, box.y.lowerBound > top - 8,
                    box.y.upperBound < bottom,
                    !taken.contains(where: box.meets)
                else { continue }
                taken.append(box)
                return
                    "set label \(Gnuplot.quote(name)) at first \(Gnuplot.number(x)), first \(Gnuplot.number(y)) "
                    + "\(side) offset character \(Gnuplot.number(dx / 8.4)), character "
                    + "\(Gnuplot.number(-dy / 14.0)) font 'Helvetica,13'"
            }
            return nil
        }
    }
}

/// The ranges of two axes, with room around what they hold.
struct Frame {
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    let isLogarithmic: Bool

    init(_ points: [(Double, Double)], isLogarithmic: Bool) {
        self.isLogarithmic = isLogarithmic
        let (low, high) = (points.map(\.0).min()!, points.map(\.0).max()!)
        if isLogarithmic {
            x = low / 1.25...high * 1.25
        } else {
            let room = high > low ? 0.08 * (high - low) : max(abs(high) * 0.08, 1)
            x = low - room...high + room
        }
        let (least, most) = (points.map(\.1).min()!, points.map(\.1).max()!)
        let room = most > least ? 0.12 * (most - least) : 1
        y = least - room...most + room
    }

    /// 0 at the left, 1 at the right.
    func across(_ value: Double) -> Double {
        isLogarithmic
            ? log(value / x.lowerBound) / log(x.upperBound / x.lowerBound)
            : (value - x.lowerBound) / (x.upperBound - x.lowerBound)
    }

    func up(_ value: Double) -> Double { (value - y.lowerBound) / (y.upperBound - y.lowerBound) }

    func commands(left: Double, right: Double, top: Double, bottom: Double) -> String {
        """
        \(Gnuplot.margins(left: left, right: right, top: top, bottom: bottom))
        set xrange [\(Gnuplot.number(x.lowerBound)):\(Gnuplot.number(x.upperBound))]
        set yrange [\(Gnuplot.number(y.lowerBound)):\(Gnuplot.number(y.upperBound))]
        \(isLogarithmic ? "set logscale x" : "")
        set xtics \(Gnuplot.tics(tics.map { (Self.short($0), $0) }))
        """
    }

    /// About five, at round numbers.
    private var tics: [Double] {
        guard !isLogarithmic else {
            let powers = Int(log10(x.lowerBound))...Int(log10(x.upperBound))
            return powers.flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }.filter(x.contains)
        }
        let step = Gnuplot.step(x.upperBound - x.lowerBound, in: 5)
        return Array(stride(from: (x.lowerBound / step).rounded(.up) * step, through: x.upperBound, by: step))
    }

    /// `3710000` as `3.71 M`, `12000` as `12 k`.
    static func short(_ value: Double) -> String {
        value >= 1e6
            ? String(format: "%g M", (value / 1e4).rounded() / 100)
            : value >= 1e3 ? String(format: "%g k", (value / 10).rounded() / 100) : String(format: "%g", value)
    }
}
