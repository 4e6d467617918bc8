import Foundation

/// How much of an attention its network reproduces: by layer, and by position in the sentence.
struct Explained {
    let plots: [Plot]

    init(_ evidence: Evidence) throws {
        let distilled = try Distillations(evidence)
        let seeds = distilled.runs > distilled.networks.count ? ", means over seeds" : ""
        let behind = distilled.runs == 1 ? "One distillation." : "\(distilled.runs) distillations\(seeds)."
        plots = [Self.byLayer(distilled.networks, behind), Self.byPosition(distilled.networks, behind)]
    }

    private static func byLayer(_ networks: [Distillations.Network], _ behind: String) -> Plot {
        let title = "Variance explained by layer"
        var map = HeatMap()
        for network in networks {
            map.add(
                network.attention.rawValue, network.label,
                network.layers.compactMap { layer in layer.explained.map { (layer.layer, $0) } })
        }
        guard let range = map.range else {
            return .absent(title: title, reason: "no distillation was measured on a validation set")
        }
        let best = map.cells.max { $0.value < $1.value }!, worst = map.cells.min { $0.value < $1.value }!
        func words(_ cell: HeatMap.Cell) -> String {
            String(format: "%@ %@, layer %d (%.2f)", cell.label, cell.group, cell.column, cell.value)
        }
        return .figure(
            map.figure(
                "explained", title,
                caption:
                    "Share of the variance of the attention’s output on the validation set that the network explains "
                    + "before it is put into the model. Highest: \(words(best)); lowest: \(words(worst)). "
                    + "\(behind)",
                range: range, axis: "layer", quantity: "explained", showsValues: true))
    }

    private static func byPosition(_ networks: [Distillations.Network], _ behind: String) -> Plot {
        let title = "Cosine by position"
        var map = HeatMap()
        for network in networks {
            let sums = network.layers.flatMap(\.cosine).reduce(into: [Int: (Double, Int)]()) {
                $0[$1.key] = (($0[$1.key]?.0 ?? 0) + $1.value, ($0[$1.key]?.1 ?? 0) + 1)
            }
            map.add(
                network.attention.rawValue, network.label,
                sums.map { ($0.key, $0.value.0 / Double($0.value.1)) }.sorted { $0.0 < $1.0 })
        }
        guard let range = map.range else {
            return .absent(title: title, reason: "no distillation was measured on a validation set")
        }
        return .figure(
            map.figure(
                "cosine", title,
                caption:
                    "Cosine of the attention’s output and the network’s, by the token’s place in the sentence, mean "
                    + "over layers, on the validation set. Few sentences reach the places on the right. \(behind)",
                range: range, axis: "position", quantity: "cosine", showsValues: false))
    }
}

/// Cells in rows that belong to groups.
struct HeatMap {
    struct Cell {
        let group: String
        let label: String
        let column: Int
        let value: Double
        let y: Double
    }

    private(set) var cells: [Cell] = []
    private var headings: [(String, Double)] = []
    private var tics: [(String, Double)] = []
    private var y = 0.0

    mutating func add(_ group: String, _ label: String, _ values: [(Int, Double)]) {
        guard !values.isEmpty else { return }
        if headings.last?.0 != group {
            if !headings.isEmpty { y += 0.4 }
            headings.append((group, y))
            y += 1
        }
        tics.append((label, y))
        cells += values.map { Cell(group: group, label: label, column: $0.0, value: $0.1, y: y) }
        y += 1
    }

    /// Of the colours: from a tenth below the lowest value to 1.
    var range: ClosedRange<Double>? {
        guard let least = cells.map(\.value).min() else { return nil }
        return max(-1, min(0.9, (least * 10).rounded(.down) / 10))...1
    }

    func figure(
        _ name: String, _ title: String, caption: String, range: ClosedRange<Double>, axis: String, quantity: String,
        showsValues: Bool
    ) -> Figure {
        let last = cells.map(\.column).max()!, left = Gnuplot.leftMargin(tics.map(\.0)),
            height = Int(y * 21) + 92
        // yellow is too bright for white letters
        let middle = range.lowerBound + 0.55 * (range.upperBound - range.lowerBound)
        let values = [("> ", "#010101"), ("<=", "#fefefe")].map { comparison, color in
            "'\(name).csv' skip 1 using ($4 \(comparison) \(Gnuplot.number(middle)) ? $3 : NaN):5:(sprintf('%.2f', "
                + "$4)) with labels font 'Helvetica,12' tc rgb '\(color)'"
        }
        let cell = "'\(name).csv' skip 1 using 3:5:($3-0.5):($3+0.5):($5-0.48):($5+0.48):4 with boxxyerror lc palette"
        let plots = [cell] + (showsValues ? values : [])
        return Figure(
            name, title, caption: caption, height: height,
            data: CSV(
                ["attention", "network", axis, quantity, "y"],
                cells.map { [$0.group, $0.label, "\($0.column)", Gnuplot.number($0.value), Gnuplot.number($0.y)] }),
            commands: """
                set border 0
                \(Gnuplot.margins(left: left, right: 0.86, above: 8, below: 58, of: height))
                set xrange [-0.5:\(last).5]
                set yrange [\(Gnuplot.number(y - 0.4)):-0.5]
                set xtics scale 0 \(last < 12 ? "1" : "5")
                set ytics scale 0 \(Gnuplot.tics(tics))
                set xlabel '\(axis)' offset 0, 0.8
                \(Palette.map)
                set cbtics font 'Helvetica,12'
                set cbrange [\(Gnuplot.number(range.lowerBound)):\(Gnuplot.number(range.upperBound))]
                set colorbox user origin 0.885, \(Gnuplot.number(58 / Double(height))) \
                size 0.022, \(Gnuplot.number(min(1 - 66 / Double(height), 150 / Double(height))))
                set style fill solid noborder
                \(Gnuplot.headings(headings))
                plot \(plots.joined(separator: ", \\\n     "))
                """)
    }
}
