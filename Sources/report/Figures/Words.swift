import Foundation

/// Pieces of sentences.
enum Words {
    /// With a sign, as people set it: `+0.11`, `−1.40`.
    static func difference(_ value: Double) -> String {
        String(format: "%+.2f", value).replacingOccurrences(of: "-", with: "−")
    }

    /// How many runs are behind a figure.
    static func runs(_ groups: [ScoreGroup]) -> String {
        let counts = Set(groups.map(\.members.count)).sorted()
        let models = groups.count == 1 ? "One model" : "\(groups.count) models"
        return counts == [1]
            ? "\(models), one run each." : "\(models), \(counts.map(String.init).joined(separator: " or ")) runs each."
    }
}
