import Logging

/// Messages of swift-log as lines on standard error that get along with the progress bar: `train: message`, `train: warning: message`.
struct StageLog: LogHandler {
    let label: String
    let terminal: Terminal
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let mark = event.level >= .warning ? "\(event.level): " : ""
        let details = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        terminal.line("\(label): \(mark)\(event.message)\(details)")
    }

    static func logger(_ label: String, quiet: Bool, terminal: Terminal = .standardError) -> Logger {
        Logger(label: label) { StageLog(label: $0, terminal: terminal, logLevel: quiet ? .warning : .info) }
    }
}

extension Logger {
    /// Messages of a program that is not recorded as a run.
    public static func stage(_ name: String, quiet: Bool) -> Logger { StageLog.logger(name, quiet: quiet) }
}
