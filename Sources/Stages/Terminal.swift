import Foundation

/// Standard error, shared by messages and the progress bar: a message goes above the bar, which is drawn again below
/// it.
final class Terminal: @unchecked Sendable {
    static let standardError = Terminal(
        isInteractive: isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb",
        hasColor: (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty,
        width: { columns(of: STDERR_FILENO) }
    ) { text in
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))  // nobody listening is no reason to stop
    }

    /// Someone is watching: a bar may be redrawn in place.
    let isInteractive: Bool
    let hasColor: Bool
    private let width: () -> Int
    private let write: (String) -> Void
    private let lock = NSLock()
    private var bar = ""

    init(isInteractive: Bool, hasColor: Bool, width: @escaping () -> Int, write: @escaping (String) -> Void) {
        self.isInteractive = isInteractive
        self.hasColor = hasColor && isInteractive
        self.width = width
        self.write = write
    }

    func line(_ text: String) {
        lock.lock()
        defer { lock.unlock() }
        write(bar.isEmpty ? text + "\n" : "\r\u{1B}[K" + text + "\n" + bar)
    }

    /// Draws the bar in place of the last one, cut to the terminal's width; an empty one takes it away.
    func drawBar(_ text: String) {
        lock.lock()
        defer { lock.unlock() }
        let text = String(text.prefix(max(width() - 1, 1)))
        let mark = hasColor && !text.isEmpty ? "\u{1B}[36m" + text + "\u{1B}[0m" : text
        write("\r\u{1B}[K" + mark)
        bar = mark
    }

    private static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
