import Foundation

/// Where the time of a step goes. Whoever begins a kind of work says so; the time until the next one does counts for
/// it. One timer belongs to one thread; without one nothing is measured.
package final class PhaseTimer {
    package enum Phase: Int, CaseIterable, Sendable {
        case products, attention, loss, normalisation, elementwise, embedding, optimizer

        package var name: String { "\(self)" }
    }

    package private(set) var seconds = [Double](repeating: 0, count: Phase.allCases.count)
    private var current: Phase?
    private var since = 0.0

    package init() {}

    package func enter(_ phase: Phase) {
        leave()
        current = phase
    }

    /// What follows is nobody's.
    package func leave() {
        let now = Self.now
        if let current { seconds[current.rawValue] += now - since }
        current = nil
        since = now
    }

    /// Seconds on a clock that only ever rises.
    package static var now: Double { seconds(CLOCK_MONOTONIC) }

    /// Seconds of processor time of the calling thread.
    package static var processorNow: Double { seconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
