import Foundation

#if MPI
    import COpenMPI

    /// MPI, which counts in 32 bits: what is broadcast, exchanged or gathered is cut for it, what is summed is small.
    enum Transport {
        static let isBuilt = true

        /// Joins the processes that were started together.
        static func start() -> (rank: Int, count: Int) {
            var (rank, count): (Int32, Int32) = (0, 1)
            group_start(&rank, &count)
            return (Int(rank), Int(count))
        }

        static func finish() { group_finish() }
        static func abort(_ code: Int32) { group_abort(code) }

        static func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
            for part in cut(0..<bytes.count) {
                group_broadcast(bytes.baseAddress! + part.lowerBound, Int32(part.count))
            }
        }

        static func gather(_ bytes: Data, from count: Int) -> [Data] {
            var counts = [Int32](repeating: 0, count: count), starts = counts
            group_gather_counts(Int32(bytes.count), &counts)
            for rank in 1..<count { starts[rank] = starts[rank - 1] + counts[rank - 1] }
            var all = [UInt8](repeating: 0, count: Int(counts.reduce(0, +)))
            group_gather(Array(bytes), Int32(bytes.count), &all, counts, starts)
            return (0..<count).map { Data(all[Int(starts[$0])..<Int(starts[$0] + counts[$0])]) }
        }

        static func sum(_ values: inout [Double]) { group_sum(&values, Int32(values.count)) }

        static func exchange(
            with partner: Int, _ sent: [Range<Int>], of from: UnsafeMutablePointer<Float>, _ received: [Range<Int>],
            into to: UnsafeMutablePointer<Float>
        ) {
            let (sent, received) = (sent.flatMap(cut), received.flatMap(cut))
            let places = [sent, received].map { $0.flatMap { [$0.lowerBound, $0.count] } }
            group_exchange(Int32(partner), from, places[0], Int32(sent.count), to, places[1], Int32(received.count))
        }

        /// Parts that can be counted, the same at both ends.
        private static func cut(_ range: Range<Int>) -> [Range<Int>] {
            stride(from: range.lowerBound, to: range.upperBound, by: 1 << 30).map {
                $0..<min($0 + 1 << 30, range.upperBound)
            }
        }
    }
#else
    /// One process, which has nobody to talk to.
    enum Transport {
        static let isBuilt = false
        static func start() -> (rank: Int, count: Int) { (0, 1) }
        static func finish() {}
        static func abort(_ code: Int32) {}
        static func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {}
        static func gather(_ bytes: Data, from count: Int) -> [Data] { [bytes] }
        static func sum(_ values: inout [Double]) {}
        static func exchange(
            with partner: Int, _ sent: [Range<Int>], of from: UnsafeMutablePointer<Float>, _ received: [Range<Int>],
            into to: UnsafeMutablePointer<Float>
        ) { fatalError("one process has no partner") }
    }
#endif
