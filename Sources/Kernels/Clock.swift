import Foundation

/// Seconds on clocks that nobody sets.
package enum Clock {
    /// On one that only ever rises.
    package static var now: Double { seconds(CLOCK_MONOTONIC) }

    /// Processor time of the calling thread.
    package static var processorNow: Double { seconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
