import Foundation

/// SIGINT, SIGTERM and SIGHUP as a flag that loops poll between two steps. A second signal ends the process at once.
package enum Signals {
    /// The signal that asked the process to stop, if one has.
    package static var received: Int32? { flag.pointee == 0 ? nil : flag.pointee }

    /// Starts catching. A signal that the parent has told us to ignore (`nohup`, a background job) stays ignored; one
    /// that the parent has blocked, as a thread of a pool does for its children, is let through again.
    package static func install() {
        _ = received  // makes the flag now: a handler that came first would, and asking for memory in it may lock up
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            sigaddset(&mask, signal)
            var old = sigaction()
            sigaction(signal, nil, &old)
            if unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                continue
            }
            var new = sigaction()
            new.__sigaction_handler.sa_handler = note
            new.sa_flags = Int32(SA_RESTART)
            sigaction(signal, &new, nil)
        }
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Back to what the system does: for work that is no run, and has nothing to save.
    package static func uninstall() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            var old = sigaction()
            sigaction(number, nil, &old)
            let isIgnored =
                unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            if !isIgnored { signal(number, SIG_DFL) }
        }
        if let received { raise(received) }  // it came before now
    }

    /// Only what may be done inside a signal handler: look, store, leave.
    private static let note: @convention(c) (Int32) -> Void = { signal in
        if flag.pointee != 0 { _exit(128 + signal) }
        flag.pointee = signal
    }

    private nonisolated(unsafe) static let flag: UnsafeMutablePointer<Int32> = {
        let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        flag.initialize(to: 0)
        return flag
    }()
}

/// Thrown by a stage that has stopped where it was asked to.
package struct Interruption: Error, CustomStringConvertible, Sendable {
    package let signal: Int32
    /// Whether a checkpoint is there to go on from.
    var keepsWork = false

    package init(signal: Int32) { self.signal = signal }

    package var exitCode: Int32 { 128 + signal }
    package var description: String {
        switch signal {
        case SIGINT: "interrupted"
        case SIGTERM: "terminated"
        default: "stopped by signal \(signal)"
        }
    }
}
