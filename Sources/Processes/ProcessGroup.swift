import Foundation
import Kernels

#if MPI
    import COpenMPI
#endif

/// The processes that one stage runs in, on one machine or several: those that `mpirun` or `srun --mpi=pmix` has
/// started together, where the programs are built with MPI (trait `MPI`); else one.
///
/// The first of them, of rank 0, leads: it alone writes results and the registry. All make the same calls in the same
/// order. A process that fails ends all.
package final class ProcessGroup {
    /// The group that this process is in.
    package static let shared = ProcessGroup(started: true)
    /// One process by itself.
    package static let alone = ProcessGroup(started: false)

    package let rank: Int
    package let count: Int
    /// Since the beginning, by this process.
    package private(set) var bytesSent = 0

    package var leads: Bool { rank == 0 }
    /// All have agreed to stop where they are, and do so by themselves.
    package private(set) var hasAgreedToStop = false
    /// All have found the same failure at the same place, and end by themselves.
    package var sharesFailure = false

    private init(started: Bool) {
        #if MPI
            var (rank, count): (Int32, Int32) = (0, 1)
            if started, Self.wasLaunched { group_start(&rank, &count) }
            (self.rank, self.count) = (Int(rank), Int(count))
        #else
            (rank, count) = (0, 1)
        #endif
    }

    /// Whether this process is one of several that were started together, though it cannot tell which.
    package static var cannotJoin: Bool {
        #if MPI
            false
        #else
            wasLaunched && launchedProcesses > 1
        #endif
    }

    private static let environment = ProcessInfo.processInfo.environment
    private static var wasLaunched: Bool {
        environment["OMPI_COMM_WORLD_SIZE"] != nil || environment["PMIX_RANK"] != nil
    }
    private static var launchedProcesses: Int {
        Int(environment["OMPI_COMM_WORLD_SIZE"] ?? environment["SLURM_STEP_NUM_TASKS"] ?? "") ?? 1
    }

    // MARK: - The end

    /// To be called last where all end by themselves.
    package func finish() {
        #if MPI
            if count > 1 { group_finish() }
        #endif
    }

    /// Ends all processes.
    package func abort(_ code: Int32) {
        #if MPI
            if count > 1 { group_abort(code) }
        #endif
    }

    // MARK: - Messages

    /// What the leader says.
    package func broadcast(_ bytes: Data) -> Data {
        #if MPI
            guard count > 1 else { return bytes }
            var length = Int64(bytes.count)
            group_broadcast(&length, 8)
            var result = leads ? bytes : Data(count: Int(length))
            if length > 0 { result.withUnsafeMutableBytes { group_broadcast($0.baseAddress, Int32(length)) } }
            return result
        #else
            return bytes
        #endif
    }

    package func broadcast(_ value: Double) -> Double {
        let bytes = broadcast(withUnsafeBytes(of: leads ? value : 0) { Data($0) })
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
    }

    /// Numbers of one message: MPI counts in 32 bits.
    private static let mostAtATime = 1 << 30

    /// The leader's numbers replace those of the others.
    package func broadcast(_ block: FloatBlock) {
        #if MPI
            guard count > 1 else { return }
            for first in stride(from: 0, to: block.count, by: Self.mostAtATime) {
                group_broadcast_floats(block.base + first, Int32(min(Self.mostAtATime, block.count - first)))
            }
        #endif
    }

    /// What each process says, in the order of their ranks.
    package func gather(_ bytes: Data) -> [Data] {
        #if MPI
            guard count > 1 else { return [bytes] }
            var counts = [Int32](repeating: 0, count: count), starts = counts
            group_gather_counts(Int32(bytes.count), &counts)
            for rank in 1..<count { starts[rank] = starts[rank - 1] + counts[rank - 1] }
            var all = [UInt8](repeating: 0, count: Int(counts.reduce(0, +)))
            group_gather(Array(bytes), Int32(bytes.count), &all, counts, starts)
            return (0..<count).map { Data(all[Int(starts[$0])..<Int(starts[$0] + counts[$0])]) }
        #else
            return [bytes]
        #endif
    }

    /// Sums over all processes, exact where all but one have zeros.
    package func sum(_ values: inout [Double]) {
        #if MPI
            if count > 1 { group_sum(&values, Int32(values.count)) }
        #endif
    }

    package func any(_ condition: Bool) -> Bool {
        guard count > 1 else { return condition }
        var votes = [condition ? 1.0 : 0]
        sum(&votes)
        return votes[0] > 0
    }

    /// Whether all stop now, since one of them was asked to.
    package func agreeToStop(_ isRequested: Bool) -> Bool {
        hasAgreedToStop = any(isRequested)
        return hasAgreedToStop
    }

    /// Ranges of numbers of `from` go to a process, while ranges come from it, to the same places of `to`.
    package func exchange(
        with partner: Int, _ sent: [Range<Int>], of from: FloatBlock, _ received: [Range<Int>], into to: FloatBlock
    ) {
        #if MPI
            let places = [sent, received].map { $0.flatMap { [$0.lowerBound, $0.count] } }
            group_exchange(
                Int32(partner), from.base, places[0], Int32(sent.count), to.base, places[1], Int32(received.count))
        #endif
        bytesSent += sent.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    }
}
