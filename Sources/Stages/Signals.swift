import Foundation

/// SIGINT, SIGTERM and SIGHUP as a flag that loops poll between two steps. A second signal ends the process at once, if
/// it is one of its own: `timeout`, make and a terminal that closes may each send the first one twice.
package enum Signals {
    /// The signal that asked the process to stop, if one has.
    package static var received: Int32? { flag.pointee == 0 ? nil : flag.pointee }

    /// Starts catching. A signal that the parent has told us to ignore (`nohup`, a background job) stays ignored; one
    /// that the parent has blocked, as a thread of a pool does for its children, is let through again.
    package static func install() {
        // made now: a handler that came first would make them, and asking for memory in it may lock up
        _ = (flag.pointee, firstTime.pointee, oneWish)
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

    /// Seconds within which several signals are one.
    private static let oneWish = 1.0

    /// Only what may be done inside a signal handler: look, store, leave.
    private static let note: @convention(c) (Int32) -> Void = { signal in
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        if flag.pointee == 0 {
            firstTime.pointee = now
            flag.pointee = signal
        } else if now - firstTime.pointee > oneWish {
            _exit(128 + signal)
        }
    }

    private nonisolated(unsafe) static let flag: UnsafeMutablePointer<Int32> = {
        let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        flag.initialize(to: 0)
        return flag
    }()
    private nonisolated(unsafe) static let firstTime: UnsafeMutablePointer<Double> = {
        let time = UnsafeMutablePointer<Double>.allocate(capacity: 1)
        time.initialize(to: .infinity)
        return time
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
