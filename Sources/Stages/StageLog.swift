import Foundation
import Logging

/// Messages of swift-log as lines on standard error that get along with the progress bar: `train: message`, `train:
/// warning: message`.
struct StageLog: LogHandler {
    let label: String
    let terminal: Terminal
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var preface: Preface?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        preface?.say()
        let mark = event.level >= .warning ? "\(event.level): " : ""
        let details = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.map {
            " \($0.key)=\($0.value)"
        }.joined()
        terminal.line("\(label): \(mark)\(event.message)\(details)")
    }

    static func logger(
        _ label: String, quiet: Bool, terminal: Terminal = .standardError, preface: Preface? = nil
    ) -> Logger {
        Logger(label: label) {
            StageLog(label: $0, terminal: terminal, logLevel: quiet ? .warning : .info, preface: preface)
        }
    }
}

/// What a run says on standard error: messages, progress, and a line above both.
struct RunMessages {
    let log: Logger
    let preface: Preface
    /// Where progress is shown.
    let terminal: Terminal?

    init(_ stage: String, quiet: Bool, preface line: String) {
        terminal = quiet ? nil : .standardError
        preface = Preface(line, terminal)
        log = StageLog.logger(stage, quiet: quiet, preface: preface)
    }
}

/// The line above everything else that a run says; a run that fails before it has said anything says only that.
final class Preface {
    private let terminal: Terminal?
    /// Of the main thread, and of the one that writes to the registry.
    private let lock = NSLock()
    private var line: String?

    init(_ line: String, _ terminal: Terminal?) {
        self.line = line
        self.terminal = terminal
    }

    func say() {
        lock.withLock {
            if let line { terminal?.line(line) }
            line = nil
        }
    }
}

extension Logger {
    /// Messages of a program that is not recorded as a run.
    package static func stage(_ name: String, quiet: Bool) -> Logger { StageLog.logger(name, quiet: quiet) }
}
