import Kernels
import Testing

@testable import bench

@Suite struct SimulationTests {
    /// Tasks go, in their order, to the core that is free first.
    @Test func tasksAreDealtInOrder() {
        let tasks: [Double] = [4, 3, 2, 1, 5]
        #expect(SimulatedStep.makespan(tasks, cores: 1) == 15)
        #expect(SimulatedStep.makespan(tasks, cores: 2) == 10)  // 4 1 5 and 3 2
        #expect(SimulatedStep.makespan(tasks, cores: 3) == 8)  // 4, 3 5 and 2 1
        #expect(SimulatedStep.makespan(tasks, cores: 64) == 5)
    }

    /// Work of two sections with something beside them; what was recorded adds up, and the fastest times count.
    @Test func aStepIsItsSectionsAndTheRest() {
        let pool = WorkerPool(threads: 1)
        var sum = 0.0
        func spin(_ count: Int) { for i in 0..<count { sum += Double(i).squareRoot() } }
        let work = RepeatedWork(pool: pool) {
            pool.run(4) { _ in spin(20_000) }
            spin(40_000)
            pool.run(1) { _ in spin(20_000) }
        }
        let runs = (0..<20).map { _ in work.recorded() }, step = SimulatedStep(runs)
        #expect(step.sections.map(\.count) == [4, 1])
        #expect(sum > 0 && pool.record == nil)
        let one = step.seconds(cores: 1, section: 0), four = step.seconds(cores: 4, section: 0)
        #expect(one <= runs.map(\.seconds).min()! && one > 0)
        #expect(abs(step.seconds(cores: 4, section: 1) - four - 2) < 1e-9)
        #expect(abs(step.speed(cores: 4, section: 0, beside: step) - one / four) < 1e-9)
        let double = SimulatedStep(runs.map { ($0.record, 2 * $0.seconds) })
        #expect(abs(step.speed(cores: 4, section: 0, beside: double) - 2 * one / four) < 1e-9)
        // 4 + 2 + 1 parts become 1 + 2 + 1
        #expect(one / four > 1.5 && one / four < 2, "\(one / four)")
        #expect(step.waiting(cores: 4) > 0.5 * step.sections[1][0])
    }
}
