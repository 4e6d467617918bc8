import Foundation
import Models
import Training

/// Which tokens the teacher's attentions read, and which ones what stands for them.
struct Maps {
    private static let attentions = [Attention.encoder, .decoder, .cross]
    /// Models beside the teacher in one figure.
    private static let most = 2

    let plots: [Plot]

    init(_ evidence: Evidence) throws {
        guard let mapped = try MappedModels(evidence) else {
            plots = [
                .absent(
                    title: "Which tokens are read",
                    reason: "no score of a teacher of these runs has maps; MAPS=3, or score --maps 3, makes them")
            ]
            return
        }
        var plots = [try Self.overlap(mapped)]
        for attention in Self.attentions {
            guard let layer = try Self.sharpest(mapped, attention) else { continue }
            for sentence in mapped.sentences.indices {
                plots.append(.figure(try Self.map(mapped, sentence, attention, layer)))
            }
        }
        self.plots = plots
    }

    /// The layer whose attention has the largest shares.
    private static func sharpest(_ mapped: MappedModels, _ attention: Attention) throws -> Int? {
        let sharpness = try (0..<mapped.layers(attention)).map { layer in
            try mapped.sentences.indices.reduce(0.0) {
                $0 + (try mapped.teacher.attentionWeights($1, attention, layer)?.sharpness ?? 0)
            }
        }
        return sharpness.indices.max { (sharpness[$0], $1) < (sharpness[$1], $0) }
    }

    // MARK: - Overlap

    private static func overlap(_ mapped: MappedModels) throws -> Plot {
        let title = "Do they read the same tokens?", count = mapped.sentences.count
        var map = HeatMap()
        for attention in attentions {
            for model in mapped.models(at: attention) {
                let cells = try (0..<mapped.layers(attention)).compactMap { layer in
                    try mean(mapped, attention, layer, model.maps.influence).map { (layer, $0) }
                }
                map.add(attention.rawValue, model.label, cells)
            }
            let cells = try (0..<mapped.layers(attention)).compactMap { layer in
                try mean(mapped, attention, layer, mapped.teacher.attentionWeights).map { (layer, $0) }
            }
            map.add(attention.rawValue, "(attention weights)", cells)
        }
        guard map.range != nil else {
            return .absent(title: title, reason: "the sentences with maps have one token each")
        }
        return .figure(
            map.figure(
                "map-overlap", title,
                caption:
                    "How much the influence of tokens on a network’s outputs has in common with their influence on the "
                    + "teacher’s: of each output the sum of the smaller of the two shares, 1 where they are the "
                    + "same; mean over the outputs of \(count == 1 ? "one sentence" : "\(count) sentences"). For "
                    + "comparison, the teacher’s own attention weights: they are not its influence either, since "
                    + "values differ in length.",
                range: 0...1, axis: "layer", quantity: "overlap", showsValues: true))
    }

    private static func mean(
        _ mapped: MappedModels, _ attention: Attention, _ layer: Int, _ map: (Int, Attention, Int) throws -> PlaceMap?
    ) throws -> Double? {
        let values = try mapped.sentences.indices.compactMap { sentence in
            try map(sentence, attention, layer).flatMap { own in
                try mapped.teacher.influence(sentence, attention, layer)?.overlap(own, isCausal: attention == .decoder)
            }
        }
        return values.mean
    }

    // MARK: - Maps

    private struct Panel {
        let title: String
        let map: PlaceMap
    }

    private static func map(
        _ mapped: MappedModels, _ sentence: Int, _ attention: Attention, _ layer: Int
    ) throws -> Figure {
        let text = mapped.sentences[sentence], models = mapped.models(at: attention).prefix(most)
        var panels: [Panel] = []
        if let weights = try mapped.teacher.attentionWeights(sentence, attention, layer) {
            panels.append(Panel(title: "teacher: attention weights", map: weights))
        }
        let candidates = [("teacher", mapped.teacher)] + models.map { ($0.label, $0.maps) }
        for (label, maps) in candidates {
            if let map = try maps.influence(sentence, attention, layer) {
                panels.append(Panel(title: "\(label): influence", map: map))
            }
        }
        let columns = attention == .decoder ? text.target : text.source
        let rows = attention == .encoder ? text.source : text.next
        let name = attention == .cross ? "cross-attention" : "\(attention) self-attention"
        return grid(
            "map-\(attention)-\(sentence + 1)", "What \(name) reads: layer \(layer), sentence \(text.line)",
            caption:
                "Each row is an output"
                + (attention == .encoder ? "" : ", named by the word that is to be said there")
                + "; each column a token that is read; the colour its share of the row. Weights are the mean over "
                + "heads; influence is how far the output moves when the token is left out. Where two panels look "
                + "alike, their networks read the same tokens. Layer \(layer) is the one whose attention is sharpest; "
                + "the decoder is "
                + "given the reference. One sentence, " + (models.isEmpty ? "the teacher alone." : "one run each."),
            panels, rows: rows, columns: columns, isCausal: attention == .decoder,
            isFurther: sentence != mapped.sentences.count / 2)
    }

    private static func grid(
        _ name: String, _ title: String, caption: String, _ panels: [Panel], rows: [String], columns: [String],
        isCausal: Bool, isFurther: Bool
    ) -> Figure {
        let grid = Grid(panels, rows: rows, columns: columns, isCausal: isCausal),
            scale = grid.scale, halfHeight = Gnuplot.number(Grid.cellHeight / 2 - 0.5)
        let range = Gnuplot.number(Double((grid.most * 20).rounded(.up) / 20))
        return Figure(
            name, title, caption: caption, width: Int(Grid.width), height: Int(grid.height),
            data: CSV(["x", "y", "share", "panel", "output", "token"], grid.cells),
            commands: """
                unset border
                unset tics
                \(Gnuplot.margins(left: 0, right: 1, top: 1, bottom: 0))
                set xrange [0:\(Gnuplot.number(Grid.width))]
                set yrange [\(Gnuplot.number(grid.height)):0]
                set style fill solid noborder
                \(Palette.map)
                set cbrange [0:\(range)]
                set colorbox horizontal user origin \(Gnuplot.number(scale.x / Grid.width)), \
                \(Gnuplot.number(1 - (scale.y + 10) / grid.height)) size 0.3, \(Gnuplot.number(10 / grid.height))
                set cbtics ('0' 0, 'share of the row: \(range)' \(range)) scale 0 font 'Helvetica,12' offset 0, 0.4
                \(grid.labels.joined(separator: "\n"))
                half = \(Gnuplot.number(grid.cellWidth / 2 - 0.5))
                plot '\(name).csv' skip 1 using 1:2:($1-half):($1+half):($2-\(halfHeight)):($2+\(halfHeight)):3 \\
                     with boxxyerror lc palette
                """, isFurther: isFurther)
    }

    /// Panels two by two, in pixels from the upper left corner.
    private struct Grid {
        static let width = 640.0, gap = 18.0, heading = 26.0, cellHeight = 15.0
        let rows: [String], columns: [String], isCausal: Bool
        /// What the rows' names and, below the lowest panels, the columns' names take.
        let left: Double, foot: Double
        let panelWidth: Double, cellWidth: Double
        private(set) var height = 0.0
        private(set) var cells: [[String]] = []
        private(set) var labels: [String] = []
        /// The largest share.
        private(set) var most: Float = 0
        /// Where the scale of colours stands: where a panel is missing, or below all.
        private(set) var scale = (x: 0.0, y: 0.0)

        init(_ panels: [Panel], rows: [String], columns: [String], isCausal: Bool) {
            (self.rows, self.columns, self.isCausal) = (rows, columns, isCausal)
            left = (Double(rows.map(Gnuplot.width).max() ?? 0) * 0.85 + 24).rounded()
            foot = (Double(columns.map(Gnuplot.width).max() ?? 0) * 0.85 + 18).rounded()
            panelWidth = ((Self.width - left - Self.gap - 8) / 2).rounded(.down)
            cellWidth = min(26, panelWidth / Double(columns.count)).rounded(.down)
            let panelHeight = Self.cellHeight * Double(rows.count)
            for first in stride(from: 0, to: panels.count, by: 2) {
                let y = height + Self.heading
                height = y + panelHeight
                for index in first..<min(first + 2, panels.count) {
                    let x = left + (index > first ? panelWidth + Self.gap : 0)
                    add(panels[index], x, y, isNamed: index == first)
                    // nothing stands below
                    if index + 2 >= panels.count {
                        nameColumns(x, y + panelHeight + 5)
                        height = y + panelHeight + foot
                    }
                }
            }
            let hasNeighbour = panels.count % 2 == 0
            scale = hasNeighbour ? (left, height + 14) : (left + panelWidth + Self.gap + 6, height - 60)
            height += hasNeighbour ? 40 : 0
        }

        private mutating func add(_ panel: Panel, _ x: Double, _ y: Double, isNamed: Bool) {
            label(panel.title, x, y - 11, "left font 'Helvetica:Bold,13'")
            for row in rows.indices {
                let middle = y + Self.cellHeight * (Double(row) + 0.5)
                if isNamed { label(rows[row], left - 6, middle, "right font 'Helvetica,12'") }
                for column in columns.indices where !isCausal || column <= row {
                    let share = panel.map[row, column]
                    most = max(most, share)
                    cells.append(
                        [x + cellWidth * (Double(column) + 0.5), middle, Double(share)].map(Gnuplot.number)
                            + [panel.title, rows[row], columns[column]])
                }
            }
        }

        private mutating func nameColumns(_ x: Double, _ y: Double) {
            for (column, text) in columns.enumerated() {
                label(text, x + cellWidth * (Double(column) + 0.5), y, "right rotate by 90 font 'Helvetica,12'")
            }
        }

        private mutating func label(_ text: String, _ x: Double, _ y: Double, _ how: String) {
            labels.append("set label \(Gnuplot.quote(text)) at \(Gnuplot.number(x)), \(Gnuplot.number(y)) \(how)")
        }
    }
}
