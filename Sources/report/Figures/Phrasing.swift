import Foundation

/// Pieces of sentences.
enum Phrasing {
    /// With a sign, as people set it: `+0.11`, `−1.40`.
    static func difference(_ value: Double) -> String { number(value, "%+.2f") }

    /// Three decimals: none is nothing.
    static func p(_ value: Double) -> String { value < 0.0005 ? "<0.001" : String(format: "%.3f", value) }

    /// With a minus, not a hyphen.
    static func number(_ value: Double, _ format: String) -> String {
        String(format: format, value).replacingOccurrences(of: "-", with: "−")
    }

    /// How many models, ways of searching and runs are behind a figure.
    static func runs(_ groups: [ScoreGroup]) -> String {
        let counts = Set(groups.map(\.members.count)).sorted()
        let count = groups.grouped { $0.series + "\n" + $0.model.text }.count,
            searches = Set(groups.map(\.search)).count
        let models = (count == 1 ? "One model" : "\(count) models") + (searches > 1 ? ", \(searches) searches" : "")
        let runs = counts == [1] ? "one run each" : counts.map(String.init).joined(separator: " or ") + " runs each"
        return "\(models), \(runs)."
    }
}
