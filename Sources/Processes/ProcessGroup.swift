import Foundation
import Kernels

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
    /// By `exchange`, since the beginning.
    package private(set) var bytesSent = 0
    /// Whether a launcher has started this process, alone or with others, and waits to hear that it has ended.
    private let hasJoined: Bool

    package var leads: Bool { rank == 0 }
    /// All have agreed to stop where they are, and do so by themselves.
    package private(set) var hasAgreedToStop = false
    /// All have found the same failure at the same place, and end by themselves.
    package var sharesFailure = false

    private init(started: Bool) {
        hasJoined = started && Self.wasLaunched && Transport.isBuilt
        (rank, count) = hasJoined ? Transport.start() : (0, 1)
    }

    /// Whether this process is one of several that were started together, though it cannot tell which.
    package static var cannotJoin: Bool { !Transport.isBuilt && wasLaunched && launchedProcesses > 1 }

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
        if hasJoined { Transport.finish() }
    }

    /// Ends all processes.
    package func abort(_ code: Int32) {
        if count > 1 { Transport.abort(code) }
    }

    // MARK: - Messages

    /// What the leader says.
    package func broadcast(_ bytes: Data) -> Data {
        guard count > 1 else { return bytes }
        var length = bytes.count
        withUnsafeMutableBytes(of: &length, Transport.broadcast)
        var result = leads ? bytes : Data(count: length)
        if length > 0 { result.withUnsafeMutableBytes(Transport.broadcast) }
        return result
    }

    package func broadcast(_ value: Double) -> Double {
        let bytes = broadcast(withUnsafeBytes(of: leads ? value : 0) { Data($0) })
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
    }

    /// The leader's numbers replace those of the others.
    package func broadcast(_ block: FloatBlock) {
        if count > 1 { Transport.broadcast(UnsafeMutableRawBufferPointer(block.buffer)) }
    }

    /// What each process says, in the order of their ranks.
    package func gather(_ bytes: Data) -> [Data] {
        guard count > 1 else { return [bytes] }
        var parts = [Data](repeating: Data(), count: count), rest = bytes
        repeat {
            let some = rest.prefix(Self.mostGathered / count)
            rest = rest.dropFirst(some.count)
            for (rank, part) in Transport.gather(some, from: count).enumerated() { parts[rank].append(part) }
        } while any(!rest.isEmpty)
        return parts
    }

    /// Bytes at a time, of all together.
    private static let mostGathered = 1 << 30

    /// Sums over all processes, exact where all but one have zeros.
    package func sum(_ values: inout [Double]) {
        if count > 1 { Transport.sum(&values) }
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
        Transport.exchange(with: partner, sent, of: from.base, received, into: to.base)
        bytesSent += sent.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    }
}
