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
        let now = Clock.now
        if let current { seconds[current.rawValue] += now - since }
        current = nil
        since = now
    }
}
