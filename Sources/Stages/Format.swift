import Foundation

/// Numbers as people read them.
public enum Format {
    /// `1234567` as `1,234,567`.
    public static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// Three significant digits or all whole ones: `0.0123`, `12.3`, `8,012`.
    public static func rate(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        return value.magnitude >= 100 ? count(Int(value.rounded())) : String(format: "%.3g", value)
    }

    /// Two decimals with a sign: `+0.12`.
    public static func difference(_ value: Double) -> String { String(format: "%+.2f", value) }

    /// Four decimals: `3.3947`.
    public static func loss(_ value: Double) -> String { String(format: "%.4f", value) }

    /// `4.2s`, `3:05`, `1:02:03`.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        if seconds < 9.95 { return String(format: "%.1fs", seconds) }
        let whole = Int(seconds.rounded())
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }

    /// `1536` as `1.5 KiB`.
    public static func bytes(_ value: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var (size, unit) = (Double(value), 0)
        while size >= 1024, unit + 1 < units.count { (size, unit) = (size / 1024, unit + 1) }
        return unit == 0 ? "\(value) B" : String(format: "%.1f %@", size, units[unit])
    }
}
