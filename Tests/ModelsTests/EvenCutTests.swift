import Testing

@testable import Models

@Suite struct EvenCutTests {
    /// Parts follow one another, cover everything, are no more than asked for and end between units.
    @Test func partsCoverEverything() {
        for all in 0...130 {
            for tasks in 1...9 {
                for unit in [1, 6, 16, 64] {
                    let cut = EvenCut(all, for: tasks, unit: unit), parts = (0..<cut.count).map { cut[$0] }
                    let what = "0..<\(all) for \(tasks) tasks, units of \(unit): \(parts)"
                    #expect(parts.flatMap { Array($0) } == Array(0..<all), "\(what)")
                    #expect(parts.count <= tasks && parts.allSatisfy { !$0.isEmpty }, "\(what)")
                    #expect(parts.dropLast().allSatisfy { $0.upperBound % unit == 0 }, "\(what)")
                    let largest = (all + unit - 1) / unit, shared = (largest + tasks - 1) / tasks * unit
                    #expect(parts.allSatisfy { $0.count <= max(shared, unit) }, "\(what)")
                }
            }
        }
    }
}
