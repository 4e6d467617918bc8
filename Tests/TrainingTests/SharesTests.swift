import Kernels
import Models
import Testing

@testable import Training

struct SharesTests {
    private func batch(_ lengths: [Int]) -> PairBatch {
        var batch = PairBatch()
        for length in lengths {
            batch.append(source: [5, 6], target: ArraySlice([Int32](repeating: 7, count: length)))
        }
        return batch
    }

    /// Every sentence is in one share, in order, and no share has many more tokens than the longest sentence beyond its
    /// part.
    @Test(arguments: [1, 2, 4, 8, 16])
    func sharesAreNeighboursOfLikeSize(count: Int) {
        for lengths in [[3], [1, 1, 1, 1], [9, 1, 1, 1, 1], (0..<40).map { $0 * 7 % 13 + 1 }] {
            let batch = batch(lengths)
            var shares = [7..<9]
            Shares.cut(batch, into: count, &shares)
            #expect(shares.count == count)
            #expect(shares.first!.lowerBound == 0 && shares.last!.upperBound == lengths.count)
            #expect(zip(shares, shares.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            let most = batch.target.tokens / count + lengths.max()! + 1
            for share in shares {
                #expect(batch.target.offsets[share.upperBound] - batch.target.offsets[share.lowerBound] <= most)
            }
        }
    }

    @Test func whatIsRefused() {
        #expect(Shares.problem(4, processes: 4) == nil && Shares.problem(8, processes: 2) == nil)
        #expect(Shares.problem(1, processes: 1) == nil)
        for (shares, processes) in [(3, 1), (0, 1), (2048, 1), (4, 3), (2, 4), (1, 2)] {
            #expect(Shares.problem(shares, processes: processes) != nil, "\(shares) shares, \(processes) processes")
        }
    }
}
