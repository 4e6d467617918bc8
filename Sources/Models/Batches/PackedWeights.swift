import Kernels

/// Every weight of a model that rows are multiplied with, laid out for that once a step and read by all threads.
///
/// Which ones those are is found by a first pass, whose products lay them out for themselves.
final class PackedWeights {
    private struct Entry {
        let weight: Slot
        let rows: Range<Int>
        /// Of its panels in the block.
        let place: Int
    }

    private var entries: [Entry] = []
    /// Entries by the place of their first number among the weights.
    private var indices: [Int: Int] = [:]
    private var block = FloatBlock(0)
    private var count = 0
    /// What one task lays out: rows of an entry's weight.
    private var tasks: [(entry: Int, rows: Range<Int>)] = []
    private var isComplete = false

    private static let taskRows = 8 * Panels.width

    /// - Parameter w: the rows `part` of the weight, or all
    func panels(_ weight: Slot, _ part: Range<Int>?, _ w: Matrix) -> Panels? {
        let rows = part ?? 0..<weight.rows, first = weight.offset + rows.lowerBound * weight.columns
        guard isComplete else {
            if indices[first] == nil {
                indices[first] = entries.count
                entries.append(Entry(weight: weight, rows: rows, place: count))
                count += Panels.count(w)
            }
            return nil
        }
        return indices[first].map { panels(entries[$0]) }
    }

    /// No more weights are to come.
    func complete() {
        isComplete = true
        block = FloatBlock(count)
        for (index, entry) in entries.enumerated() {
            for first in stride(from: 0, to: entry.rows.count, by: Self.taskRows) {
                tasks.append((index, first..<min(first + Self.taskRows, entry.rows.count)))
            }
        }
    }

    /// Lays out what the weights are now.
    func pack(_ weights: FloatBlock, _ pool: WorkerPool) {
        pool.run(tasks.count) { task in
            let (index, rows) = tasks[task], entry = entries[index]
            panels(entry).pack(weights[entry.weight].rows(entry.rows), rows)
        }
    }

    private func panels(_ entry: Entry) -> Panels {
        Panels(inputs: entry.weight.columns, outputs: entry.rows.count, unpackedAt: block.base + entry.place)
    }
}
