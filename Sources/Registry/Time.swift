import Foundation

/// UTC times as the registry writes them: `2025-01-31T12:00:00.000Z`.
enum Time {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    static func now() -> String { text(Date()) }
    static func text(_ date: Date) -> String { style.format(date) }
    static func date(_ text: String) -> Date? { try? style.parse(text) }
}
