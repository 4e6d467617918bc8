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

    /// Work of two sections with something beside them is recorded as that.
    @Test func tasksOfEachSectionAreRecorded() {
        let pool = WorkerPool(threads: 1),
            work = RepeatedWork(pool: pool) {
                pool.run(4) { _ in }
                pool.run(1) { _ in }
            }
        let (sections, seconds) = work.recorded()
        #expect(sections.map(\.count) == [4, 1] && seconds > 0 && pool.record == nil)
    }

    /// The fastest time of each task counts, and of what is outside them.
    @Test func aStepIsItsSectionsAndTheRest() {
        let step = SimulatedStep([([[1, 1, 2, 1], [1]], 8), ([[2, 1, 1, 1], [2]], 10)])
        #expect(step.sections == [[1, 1, 1, 1], [1]] && step.serial == 2 && step.total == 8)
        #expect(step.seconds(cores: 1, section: 0) == 7 && step.seconds(cores: 4, section: 0) == 4)
        #expect(step.seconds(cores: 4, section: 1) == 6, "two sections")
        #expect(step.waiting(cores: 4) == 0.75, "for the only task of the second")
        #expect(step.speed(cores: 4, section: 0, beside: step) == 1.75)
        let double = SimulatedStep([([[1, 1, 1, 1], [1]], 16)])
        #expect(step.speed(cores: 4, section: 0, beside: double) == 2 * 1.75)
    }
}
