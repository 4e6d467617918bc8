import Foundation

/// A drawing: its data, and the gnuplot commands that draw them.
struct Figure {
    /// Stem of its files.
    let name: String
    let title: String
    /// What to see in it, and how many runs are behind it.
    let caption: String
    let width: Int
    let height: Int
    let data: CSV
    /// Commands after the preamble; they read `data` by `file`.
    let commands: String
    /// One more of a kind, for those who open the page's list of them.
    let isFurther: Bool

    init(
        _ name: String, _ title: String, caption: String, width: Int = 520, height: Int, data: CSV, commands: String,
        isFurther: Bool = false
    ) {
        (self.name, self.title, self.caption) = (name, title, caption)
        (self.width, self.height, self.data, self.commands) = (width, height, data, commands)
        self.isFurther = isFurther
    }

    var file: String { name + ".csv" }

    /// The whole script, to be run in the folder of its data.
    var script: String {
        """
        # gnuplot \(name).gp: draws \(name).svg from \(file)
        set terminal svg size \(width),\(height) dynamic noenhanced font 'Helvetica,14'
        set output '\(name).svg'
        set datafile separator comma
        set encoding utf8
        set key off
        set border 3 linewidth 0.7
        set tics nomirror out scale 0.5
        \(commands)

        """
    }
}

/// What became of a figure.
enum Drawing {
    case drawn(Figure, svg: SVG)
    /// There is nothing to draw it from, and why.
    case absent(title: String, reason: String)
}

/// A plot that the runs may have no data for.
enum Plot {
    case figure(Figure)
    case absent(title: String, reason: String)
}

/// A table as a file: a header line, then rows.
struct CSV {
    let header: [String]
    let rows: [[String]]

    init(_ header: [String], _ rows: [[String]]) {
        self.header = header
        self.rows = rows
    }

    var text: String { ([header] + rows).map { $0.map(Self.field).joined(separator: ",") + "\n" }.joined() }

    private static func field(_ text: String) -> String {
        text.contains { ",\"\n".contains($0) } ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
    }
}

/// Words of gnuplot.
enum Gnuplot {
    /// A string in its quotes: single ones, or, since gnuplot reads none that begins with an apostrophe, double ones.
    static func quote(_ text: String) -> String {
        guard text.contains("'") else { return "'" + text + "'" }
        return text.reduce(into: "\"") { quoted, character in
            quoted += octal[character] ?? String(character)
        } + "\""
    }

    /// What means something between double quotes.
    private static let octal: [Character: String] = ["\\": "\\134", "\"": "\\042", "`": "\\140"]

    /// A number as gnuplot reads it; nil is NaN, which it does not draw.
    static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "NaN" }
        return String(format: "%.10g", value)
    }

    /// Edges of the plot as shares of the canvas, from its left and its bottom.
    static func margins(left: Double, right: Double, top: Double, bottom: Double) -> String {
        [("l", left), ("r", right), ("t", top), ("b", bottom)].map { "set \($0)margin at screen \(number($1))" }
            .joined(separator: "\n")
    }

    /// Room for the names of rows, as a share of a figure's usual width.
    static func leftMargin(_ names: [String]) -> Double { Double(max(100, (names.map(width).max() ?? 0) + 24)) / 520 }

    /// Above and below the plot, pixels of so many.
    static func margins(left: Double, right: Double, above: Int, below: Int, of height: Int) -> String {
        margins(
            left: left, right: right, top: 1 - Double(above) / Double(height), bottom: Double(below) / Double(height))
    }

    static func tics(_ tics: [(String, Double)]) -> String {
        "(" + tics.map { "\(quote($0.0)) \(number($0.1))" }.joined(separator: ", ") + ")"
    }

    /// Labels at the left edge, in bold: what the rows below each are of.
    static func headings(_ headings: [(String, Double)]) -> String {
        headings.map { text, y in
            "set label \(quote(text)) at screen 0.012, first \(number(y)) left font 'Helvetica:Bold,14'"
        }
        .joined(separator: "\n")
    }

    /// A round distance of tics, so that about `count` of them reach `most`.
    static func step(_ most: Double, in count: Int) -> Double {
        let rough = max(most, 1e-6) / Double(count), power = pow(10, floor(log10(rough)))
        return power * ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10)
    }

    /// At most so many letters.
    static func short(_ text: String, to most: Int) -> String {
        text.count <= most ? text : text.prefix(most - 1) + "…"
    }

    /// Pixels that a text of 14 points takes, about.
    static func width(_ text: String) -> Int { Int(7.4 * Double(text.count)) }
}

/// Colours that the colour-blind can tell apart, on white as on black (after Okabe and Ito 2008), and shapes beside
/// them.
enum Palette {
    static let colors = ["#0072B2", "#D55E00", "#009E73", "#B8609C", "#9A7A00", "#6A6FD0", "#7A7A7A"]
    static let faint = "#999999"
    /// Of maps: dark to bright, as bright as it is large (viridis).
    static let map = "set palette defined (0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725')"
    private static let points = [7, 5, 9, 13, 11, 15, 6]

    static func color(_ index: Int) -> String { "'" + colors[index % colors.count] + "'" }
    /// Another shape when colours begin again.
    static func point(_ index: Int) -> Int { points[(index + index / colors.count) % points.count] }
}
