import Kernels
import Testing

@testable import Training

struct GradientClippingTests {
    private let chunks = [0..<3, 3..<1000, 1000..<1001, 2000..<2500]

    private func gradient(_ number: (Int) -> Float) -> FloatBlock {
        let block = FloatBlock(2500)
        for i in 0..<block.count { block.base[i] = number(i) }
        return block
    }

    @Test func squaresAreThoseOfEachChunk() {
        let block = gradient { Float($0 % 13) - 6.25 }
        func squares(of own: Range<Int>? = nil, threads: Int) -> [Double] {
            let clipping = GradientClipping(chunks)
            clipping.squares = [1, 2, 3, 4]  // of the step before
            clipping.measure(block, of: own, WorkerPool(threads: threads))
            return clipping.squares
        }
        let expected = chunks.map { $0.reduce(0.0) { $0 + Double(block.base[$1]) * Double(block.base[$1]) } },
            one = squares(threads: 1)
        for (found, expected) in zip(one, expected) { #expect(abs(found - expected) <= 1e-12 * expected) }
        #expect(squares(threads: 5) == one)
        #expect(squares(of: 1..<3, threads: 2) == [0, one[1], one[2], 0])
    }

    /// g min(1, bound / |g|)
    @Test func factorShortensWhatIsLonger() {
        func factor(_ bound: Float, _ squares: [Double]) -> Float {
            let clipping = GradientClipping(squares.indices.map { $0..<$0 + 1 })
            clipping.squares = squares
            return clipping.factor(bound)
        }
        #expect(factor(1, [9, 16]) == 0.2)
        #expect(factor(5, [9, 16]) == 1)
        #expect(factor(6, [9, 16]) == 1)
        #expect(factor(1, [0, 0]) == 1)
        #expect(factor(1, [1, .nan]) == 1, "what is no number stays none")
        #expect(factor(1, [.infinity]) == 0)
    }
}
