import Kernels
import Testing

struct WorkspaceTests {
    private func address(_ pointer: UnsafeMutablePointer<Float>) -> UInt { UInt(bitPattern: pointer) }

    @Test func everythingStartsOnACacheLineAndNothingOverlaps() {
        let space = Workspace()
        defer { withExtendedLifetime(space) {} }
        var source = Source(1), taken: [(UnsafeMutablePointer<Float>, Int)] = []
        for _ in 0..<200 {
            let count = source.below(30_000)
            let floats = space.take(count)
            #expect(address(floats) % 64 == 0)
            floats.update(repeating: Float(taken.count), count: count)
            taken.append((floats, count))
        }
        for (index, (floats, count)) in taken.enumerated() {
            #expect((0..<count).allSatisfy { floats[$0] == Float(index) }, "block \(index)")
        }
    }

    @Test func releaseGivesTheSameFloatsAgain() {
        let space = Workspace()
        _ = space.take(10)
        let mark = space.mark
        let first = space.matrix(3, 5), large = space.matrix(2000, 1000)
        space.release(to: mark)
        let again = space.matrix(3, 5)
        #expect(again.base == first.base && space.matrix(2000, 1000).base == large.base)
    }

    /// Once the largest pass has been seen, later ones take their floats from one block that stays.
    @Test func resetMergesAndThenNothingIsAllocated() {
        let space = Workspace()
        func pass() -> [UInt] { [700_000, 900_000, 5, 2_000_000].map { address(space.take($0)) } }
        _ = pass()
        let bytes = space.bytes
        space.reset()
        #expect(space.bytes == bytes)
        let second = pass()
        let steps = zip(second, second.dropFirst()).map { $1 - $0 }, gap = steps[2] - 64  // of the address sanitizer
        #expect(gap <= 64 && steps == [2_800_000 + gap, 3_600_000 + gap, 64 + gap], "contiguous")
        space.reset()
        #expect(pass() == second && space.bytes == bytes)
    }

    @Test func zerosAreZeroAlsoWhereSomethingWas() {
        let space = Workspace(), mark = space.mark
        space.matrix(4, 4).fill(3)
        space.release(to: mark)
        let zeros = space.zeros(4, 4)
        withExtendedLifetime(space) { #expect((0..<16).allSatisfy { zeros.base[$0] == 0 }) }
    }

    @Test func blocksAreAlignedAndZero() {
        for count in [0, 1, 15, 17] {
            let block = FloatBlock(count)
            withExtendedLifetime(block) {
                #expect(address(block.base) % 64 == 0 && block.buffer.allSatisfy { $0 == 0 })
                #expect(block.buffer.count == count)
            }
        }
    }
}
