import Dispatch
import Foundation
import Kernels
import Synchronization
import Testing

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

struct WorkerPoolTests {
    @Test(arguments: 1...4)
    func everyTaskRunsOnce(threads: Int) {
        let pool = WorkerPool(threads: threads)
        #expect(pool.threads == threads)
        for round in 0..<500 {
            let count = round % 23
            let runs = UnsafeMutablePointer<Int>.allocate(capacity: 23)
            defer { runs.deallocate() }
            runs.initialize(repeating: 0, count: 23)
            pool.run(count) { runs[$0] += 1 }
            #expect((0..<23).allSatisfy { runs[$0] == ($0 < count ? 1 : 0) }, "round \(round)")
        }
    }

    /// What the tasks wrote is there when `run` returns, and one round's results are another's inputs.
    @Test(arguments: 1...4)
    func roundsFollowOneAnother(threads: Int) {
        let pool = WorkerPool(threads: threads), count = 8
        let values = UnsafeMutablePointer<Int>.allocate(capacity: count),
            sums = UnsafeMutablePointer<Int>.allocate(capacity: count)
        defer { values.deallocate(); sums.deallocate() }
        values.initialize(repeating: 1, count: count)
        sums.initialize(repeating: 0, count: count)
        for _ in 0..<12 {
            pool.run(count) { task in sums[task] = (0..<count).reduce(0) { $0 + values[$1] } }
            pool.run(count) { task in values[task] = sums[(task + 1) % count] }
        }
        #expect((0..<count).allSatisfy { values[$0] == 1 << 36 })
    }

    /// From inside a task, `run` runs its tasks on that task's thread, under its number.
    @Test(arguments: 1...4)
    func runsWithinARun(threads: Int) {
        let pool = WorkerPool(threads: threads), inner = 6, outer = 9
        let found = UnsafeMutablePointer<Int>.allocate(capacity: inner * outer)
        defer { found.deallocate() }
        for _ in 0..<50 {
            found.initialize(repeating: -1, count: inner * outer)
            pool.run(outer) { task, worker in
                pool.run(inner) { found[task * inner + $0] = $1 == worker ? task : -2 }
            }
            #expect((0..<inner * outer).allSatisfy { found[$0] == $0 / inner })
        }
    }

    /// Several threads may call at once: their tasks do not mix, and no number is at work twice at a time.
    @Test func callersTakeTurns() {
        let pool = WorkerPool(threads: 3), callers = 4, count = 11
        let sums = UnsafeMutablePointer<Int>.allocate(capacity: callers)
        let busy = (0..<3).map { _ in Counter() }, collisions = Atomic<Int>(0)
        defer { sums.deallocate() }
        sums.initialize(repeating: 0, count: callers)
        DispatchQueue.concurrentPerform(iterations: callers) { caller in
            let own = (0..<count).map { _ in Counter() }
            for _ in 0..<200 {
                pool.run(count) { task, worker in
                    if busy[worker].value.add(1, ordering: .relaxed).newValue > 1 {
                        collisions.add(1, ordering: .relaxed)
                    }
                    own[task].value.add(1, ordering: .relaxed)
                    busy[worker].value.subtract(1, ordering: .relaxed)
                }
            }
            sums[caller] = own.reduce(0) { $0 + $1.value.load(ordering: .relaxed) }
        }
        #expect((0..<callers).allSatisfy { sums[$0] == 200 * count })
        #expect(collisions.load(ordering: .relaxed) == 0)
    }

    /// More tasks than one section may have.
    @Test func aMillionTasks() {
        let pool = WorkerPool(threads: 2), count = 1_100_000
        let runs = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        defer { runs.deallocate() }
        runs.initialize(repeating: 0, count: count)
        pool.run(count) { runs[$0] += 1 }
        #expect((0..<count).allSatisfy { runs[$0] == 1 })
    }

    /// Threads that have gone to sleep between two sections wake up: each task waits until all are under way.
    @Test(arguments: 2...4)
    func sleepersWake(threads: Int) throws {
        let pool = WorkerPool(threads: threads)
        for round in 0..<6 {
            usleep(2000)
            let begun = Counter(), inTime = Counter(), end = Date(timeIntervalSinceNow: 20)
            pool.run(threads) { _ in
                begun.value.add(1, ordering: .relaxed)
                while begun.value.load(ordering: .relaxed) < threads, Date() < end { usleep(100) }
                if Date() < end { inTime.value.add(1, ordering: .relaxed) }
            }
            try #require(inTime.value.load(ordering: .relaxed) == threads, "round \(round)")
        }
    }

    /// The caller sleeps while others are at work, and wakes when the last of them is done, whatever the moment.
    @Test(arguments: 2...4)
    func theCallerWakes(threads: Int) {
        let pool = WorkerPool(threads: threads), done = Counter()
        for round in 0..<300 {
            pool.run(threads) { _, worker in
                if worker > 0 { usleep(UInt32(round % 50)) }
                done.value.add(1, ordering: .relaxed)
            }
        }
        #expect(done.value.load(ordering: .relaxed) == 300 * threads)
    }

    @Test func tasksOfUnequalLength() {
        let pool = WorkerPool(threads: 3)
        let results = UnsafeMutablePointer<UInt64>.allocate(capacity: 40)
        defer { results.deallocate() }
        pool.run(40) { task in
            var source = Source(UInt64(task))
            for _ in 0..<(task % 7) * 2000 { _ = source.bits() }
            results[task] = source.bits()
        }
        for task in 0..<40 {
            var expected = Source(UInt64(task))
            for _ in 0..<(task % 7) * 2000 { _ = expected.bits() }
            #expect(results[task] == expected.bits(), "task \(task)")
        }
    }

    /// The threads end with the pool: none keeps it alive.
    @Test(arguments: 1...4)
    func aPoolThatIsNoLongerNeededEnds(threads: Int) {
        weak var gone: WorkerPool?
        do {
            let pool = WorkerPool(threads: threads)
            pool.run(5) { _ in }
            gone = pool
        }
        #expect(gone == nil)
    }
}
