import Kernels
import Testing

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

    @Test func tasksOfUnequalLengthAreShared() {
        let pool = WorkerPool(threads: 3)
        let results = UnsafeMutablePointer<UInt64>.allocate(capacity: 40)
        defer { results.deallocate() }
        pool.run(40) { task in
            var source = Source(UInt64(task))
            for _ in 0..<(task % 7) * 2000 { _ = source.bits() }
            results[task] = source.bits()
        }
        var expected = Source(13)
        for _ in 0..<6 * 2000 { _ = expected.bits() }
        #expect(results[13] == expected.bits())
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
