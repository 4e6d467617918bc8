import Kernels
import Testing

@testable import Models

struct GradientClippingTests {
    private let chunks = [0..<3, 3..<1000, 1000..<1001, 2000..<2500]

    private func gradient(_ number: (Int) -> Float) -> FloatBlock {
        let block = FloatBlock(2500)
        for i in 0..<block.count { block.base[i] = number(i) }
        return block
    }

    @Test func squaresAreThoseOfEachChunk() {
        let block = gradient { Float($0 % 13) - 6.25 }
        let expected = chunks.map { $0.reduce(0.0) { $0 + Double(block.base[$1]) * Double(block.base[$1]) } },
            one = GradientClipping(chunks).squares(block, WorkerPool(threads: 1))
        for (found, expected) in zip(one, expected) { #expect(abs(found - expected) <= 1e-12 * expected) }
        #expect(GradientClipping(chunks).squares(block, WorkerPool(threads: 5)) == one)
        let own = GradientClipping(chunks).squares(block, of: 1..<3, WorkerPool(threads: 2))
        #expect(own == [0, one[1], one[2], 0])
    }

    /// g min(1, bound / |g|)
    @Test func factorShortensWhatIsLonger() {
        let clipping = GradientClipping(chunks)
        #expect(clipping.factor(1, [9, 16]) == 0.2)
        #expect(clipping.factor(5, [9, 16]) == 1)
        #expect(clipping.factor(6, [9, 16]) == 1)
        #expect(clipping.factor(1, [0, 0]) == 1)
        #expect(clipping.factor(1, [1, .nan]) == 1, "what is no number stays none")
        #expect(clipping.factor(1, [.infinity]) == 0)
    }
}
