import Kernels

/// How far a loop has come, on standard error: on a terminal one line redrawn in place at most ten times a second,
/// elsewhere a plain line every ten seconds and at the end.
///
/// Rate and remaining time count from `start`, so that a resumed loop is not credited with what was done before.
package final class ProgressDisplay {
    private let label: String
    private let total: Int?
    private let unit: String
    private let start: Int
    private let terminal: Terminal?
    private let now: () -> Double
    private let began: Double
    private var lastDrawn: Double
    private var isFinished = false

    init(
        _ label: String, total: Int?, unit: String, start: Int, terminal: Terminal?,
        now: @escaping () -> Double = { Clock.now }
    ) {
        self.label = label
        self.total = total
        self.unit = unit
        self.start = start
        self.terminal = terminal
        self.now = now
        began = now()
        lastDrawn = terminal?.isInteractive == true ? began - 1 : began
    }

    /// Says that `done` units are done. `note` is only evaluated when something is drawn.
    package func update(_ done: Int, note: @autoclosure () -> String = "") {
        guard let terminal, !isFinished else { return }
        let time = now()
        guard time - lastDrawn >= (terminal.isInteractive ? 0.1 : 10) else { return }
        lastDrawn = time
        terminal.isInteractive ? terminal.drawBar(bar(done, note(), time)) : terminal.line(plain(done, note(), time))
    }

    /// Takes the bar away and leaves one line that says what was done, how long it took and how fast it was.
    package func finish(_ done: Int, note: String = "") {
        guard let terminal, !isFinished else { return }
        isFinished = true
        if terminal.isInteractive { terminal.drawBar("") }
        let seconds = now() - began
        // without the total: it was an estimate, since epochs differ in length
        let parts = [
            "\(label): \(Format.count(done)) \(unit) in \(Format.duration(seconds))", rate(done, seconds), note,
        ]
        terminal.line(parts.filter { !$0.isEmpty }.joined(separator: ", "))
    }

    /// Takes the bar away without a word, for a loop that was left early.
    func abandon() {
        guard let terminal, !isFinished else { return }
        isFinished = true
        if terminal.isInteractive { terminal.drawBar("") }
    }

    // MARK: - Wording

    private func bar(_ done: Int, _ note: String, _ time: Double) -> String {
        let width = 24
        let filled = total.map { $0 > 0 ? min(width, width * done / $0) : width } ?? 0
        let picture =
            total == nil
            ? "" : "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
        return words(done, note, time, first: [label, picture]).joined(separator: "  ")
    }

    private func plain(_ done: Int, _ note: String, _ time: Double) -> String {
        "\(label): " + words(done, note, time, first: []).joined(separator: ", ")
    }

    private func words(_ done: Int, _ note: String, _ time: Double, first: [String]) -> [String] {
        let seconds = time - began
        return (first + [amount(done), rate(done, seconds), remaining(done, seconds), note]).filter { !$0.isEmpty }
    }

    private func amount(_ done: Int) -> String {
        guard let total, total > 0 else { return "\(Format.count(done)) \(unit)" }
        // a total may turn out to have been too small
        return done >= total
            ? "\(Format.count(done)) \(unit)"
            : "\(Format.count(done))/\(Format.count(total)) \(unit) (\(100 * done / total)%)"
    }

    private func rate(_ done: Int, _ seconds: Double) -> String {
        seconds > 0 && done > start ? "\(Format.rate(Double(done - start) / seconds)) \(unit)/s" : ""
    }

    private func remaining(_ done: Int, _ seconds: Double) -> String {
        guard let total, done > start, done < total else { return "" }
        return "ETA " + Format.duration(seconds / Double(done - start) * Double(total - done))
    }
}
