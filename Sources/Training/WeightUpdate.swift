import CKernels
import Kernels
import Models
import Processes

/// Steps of weights along a gradient, by Adam or, matrices, by Muon; dealt by chunks.
package final class WeightUpdate {
    /// Weights that one task updates: what fits a core's cache with their gradient and moments.
    private static let chunk = 1 << 15
    private let chunks: [Range<Int>]
    private let updates: [Update]
    /// Room for Muon, by thread.
    private var spaces: [Workspace] = []
    private let clipping: GradientClipping
    /// Another process's gradient.
    private var received: FloatBlock?

    /// How a chunk is updated.
    private enum Update {
        /// By Adam; cut into what does not decay and what lies between.
        case numbers([(range: Range<Int>, decays: Bool)])
        case matrix(Muon, rows: Int, columns: Int)
    }

    /// - Parameters:
    ///   - trained: ranges of the weights that are updated; gradients elsewhere are of no account
    ///   - slots: what the weights are
    ///   - muon: for matrices; nil: Adam for all
    package init(_ trained: [Range<Int>], of slots: [Slot], muon: Muon? = nil) {
        let trained = trained.sorted { $0.lowerBound < $1.lowerBound },
            slots = slots.sorted { $0.offset < $1.offset }, fixed = slots.filter { !$0.decays }.map(\.range)
        var chunks: [Range<Int>] = [], updates: [Update] = []
        func addNumbers(_ range: Range<Int>) {
            for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk) {
                let chunk = first..<min(first + Self.chunk, range.upperBound)
                chunks.append(chunk)
                updates.append(.numbers(Self.pieces(of: chunk, fixed)))
            }
        }
        for range in trained {
            var first = range.lowerBound
            for slot in slots where range.contains(slot.offset) {
                guard let muon, let rows = slot.matrixRows else { continue }
                addNumbers(first..<slot.offset)
                for matrix in stride(from: slot.offset, to: slot.range.upperBound, by: rows * slot.columns) {
                    chunks.append(matrix..<matrix + rows * slot.columns)
                    updates.append(.matrix(muon, rows: rows, columns: slot.columns))
                }
                first = slot.range.upperBound
            }
            addNumbers(first..<range.upperBound)
        }
        (self.chunks, self.updates) = (chunks, updates)
        clipping = GradientClipping(chunks)
    }

    private static func pieces(of chunk: Range<Int>, _ fixed: [Range<Int>]) -> [(range: Range<Int>, decays: Bool)] {
        var result: [(range: Range<Int>, decays: Bool)] = [], first = chunk.lowerBound
        for range in fixed.map({ $0.clamped(to: chunk) }) where !range.isEmpty {
            result += [(first..<range.lowerBound, true), (range, false)]
            first = range.upperBound
        }
        return result + [(first..<chunk.upperBound, true)]
    }

    /// With several processes each has a part of the gradient, adds up the others' for its own chunks, and gets the
    /// rest of the new weights from them.
    ///
    /// - Parameter clip: the norm of the gradient is cut to this; nil: never
    package func callAsFunction(
        _ weights: FloatBlock, _ gradient: FloatBlock, _ adam: Adam, _ constants: adam_t, clip: Float? = nil,
        pool: WorkerPool, group: ProcessGroup = .alone
    ) {
        let own = addUp(gradient, pool, group)
        var factor: Float = 1
        if let clip {
            clipping.measure(gradient, of: own, pool)
            group.sum(&clipping.squares)
            factor = clipping.factor(clip)
        }
        makeRoom(threads: pool.threads)
        pool.run(own.count) { task, worker in
            let index = own.lowerBound + task, chunk = chunks[index], g = gradient.base + chunk.lowerBound
            GradientClipping.scale(g, chunk.count, by: factor)
            switch updates[index] {
            case .numbers(let pieces):
                func step(_ range: Range<Int>, _ constants: adam_t) {
                    let at = range.lowerBound
                    adam_step(
                        weights.base + at, adam.moment1.base + at, adam.moment2.base + at, gradient.base + at,
                        range.count, constants)
                }
                guard constants.decay != 0 else { return step(chunk, constants) }
                for piece in pieces { step(piece.range, piece.decays ? constants : constants.withoutDecay) }
            case .matrix(let muon, let rows, let columns):
                muon.step(
                    weights.matrix(rows, columns, at: chunk.lowerBound),
                    moment: adam.moment1.base + chunk.lowerBound, gradient: g, rate: constants.rate,
                    decay: constants.decay, spaces[worker])
            }
        }
        gather(weights, group)
    }

    /// For the largest matrix, at once: which thread meets which is not known.
    private func makeRoom(threads: Int) {
        guard spaces.count < threads else { return }
        let most = updates.reduce(0) {
            guard case .matrix(_, let rows, let columns) = $1 else { return $0 }
            return max($0, Muon.room(rows: rows, columns: columns))
        }
        guard most > 0 else { return }
        spaces = (0..<threads).map { _ in
            let space = Workspace(), mark = space.mark
            _ = space.take(most)
            space.release(to: mark)
            return space
        }
    }

    // MARK: - Processes

    /// A process and its neighbour at distance 1, 2, 4 ... halve the chunks that both still have: each keeps one half
    /// and gets the other's numbers for it. The sums are those of a binary tree over the ranks, and a process sends
    /// less than there are numbers.
    private struct Halving {
        let partner: Int
        let kept: Range<Int>
        let given: Range<Int>
    }

    private func halvings(_ group: ProcessGroup) -> [Halving] {
        var result: [Halving] = [], range = chunks.indices, distance = 1
        while distance < group.count {
            let middle = range.lowerBound + range.count / 2,
                halves = [range.lowerBound..<middle, middle..<range.upperBound]
            let upper = group.rank & distance == 0 ? 0 : 1
            result.append(Halving(partner: group.rank ^ distance, kept: halves[upper], given: halves[1 - upper]))
            range = halves[upper]
            distance *= 2
        }
        return result
    }

    /// Chunks beside one another as one.
    private func ranges(_ own: Range<Int>) -> [Range<Int>] {
        chunks[own].reduce(into: []) { result, chunk in
            if let last = result.last, last.upperBound == chunk.lowerBound {
                result[result.count - 1] = last.lowerBound..<chunk.upperBound
            } else {
                result.append(chunk)
            }
        }
    }

    /// The sum of all processes' gradients, where the chunks that are returned are.
    private func addUp(_ gradient: FloatBlock, _ pool: WorkerPool, _ group: ProcessGroup) -> Range<Int> {
        let halvings = halvings(group)
        for halving in halvings {
            let received = received ?? FloatBlock(gradient.count)
            self.received = received
            group.exchange(
                with: halving.partner, ranges(halving.given), of: gradient, ranges(halving.kept), into: received)
            add(received, to: gradient, of: halving.kept, pool)
        }
        return halvings.last?.kept ?? chunks.indices
    }

    /// Adds numbers of some chunks, or all.
    func add(_ part: FloatBlock, to sum: FloatBlock, of own: Range<Int>? = nil, _ pool: WorkerPool) {
        let own = own ?? chunks.indices
        pool.run(own.count) { task in
            let chunk = chunks[own.lowerBound + task], count = chunk.count
            add_rows(sum.base + chunk.lowerBound, count, part.base + chunk.lowerBound, count, 1, count)
        }
    }

    /// Each process's own chunks go to all.
    private func gather(_ block: FloatBlock, _ group: ProcessGroup) {
        for halving in halvings(group).reversed() {
            group.exchange(with: halving.partner, ranges(halving.kept), of: block, ranges(halving.given), into: block)
        }
    }

    /// Calls `body` with all moments, and gives up those that are other processes' afterwards.
    func withAllMoments(_ adam: Adam, _ group: ProcessGroup, _ body: () throws -> Void) rethrows {
        for block in [adam.moment1, adam.moment2] { gather(block, group) }
        try body()
        keepOwn(adam, group)
    }

    func keepOwn(_ adam: Adam, _ group: ProcessGroup) {
        for halving in halvings(group) {
            for range in ranges(halving.given) {
                for block in [adam.moment1, adam.moment2] { block.discard(range) }
            }
        }
    }
}
