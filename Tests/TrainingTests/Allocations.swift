import CAllocations
import Foundation
import Kernels

/// Calls of malloc and its kin, below 4,096 bytes and from there on.
struct Allocations: Equatable, CustomStringConvertible {
    var small = 0
    var large = 0

    var description: String { "\(small) small, \(large) large" }

    /// Those of this thread and of a pool's threads while `body` runs.
    static func counted(in pool: WorkerPool, _ body: () throws -> Void) rethrows -> Allocations {
        let counts = UnsafeMutablePointer<allocations_t>.allocate(capacity: 1)
        counts.initialize(to: allocations_t())
        defer { counts.deallocate() }
        onEveryThread(of: pool) { allocations_count(counts) }
        try body()
        let result = Allocations(small: counts.pointee.small, large: counts.pointee.large)
        onEveryThread(of: pool) { allocations_count(nil) }
        return result
    }

    /// As many tasks as threads, none of which ends before all have begun: no thread gets two.
    private static func onEveryThread(of pool: WorkerPool, _ body: () -> Void) {
        var barrier = pthread_barrier_t()
        pthread_barrier_init(&barrier, nil, UInt32(pool.threads))
        withUnsafeMutablePointer(to: &barrier) { barrier in
            pool.run(pool.threads) { _ in
                body()
                pthread_barrier_wait(barrier)
            }
        }
        pthread_barrier_destroy(&barrier)
    }

    /// The fewest of three times: now and then the language's runtime fills a cache of its own meanwhile.
    static func least(in pool: WorkerPool, _ body: () throws -> Void) rethrows -> Allocations {
        try (0..<3).map { _ in try counted(in: pool, body) }.min { ($0.large, $0.small) < ($1.large, $1.small) }!
    }
}
