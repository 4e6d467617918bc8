import Kernels

/// Every weight of a model that rows are multiplied with, laid out for that once a step and read by all threads: W for
/// y = x W^T, and W^T for dx = dy W.
///
/// Which ones those are is found by a first pass, which makes its products without.
final class WeightPanels {
    private struct Entry {
        let weight: Slot
        let rows: Range<Int>
        let isTransposed: Bool
        /// Of its panels in the block.
        let place: Int
    }

    private struct Key: Hashable {
        /// Of the weights' block.
        let numbers: Range<Int>
        let isTransposed: Bool
    }

    private var entries: [Entry] = []
    private var indices: [Key: Int] = [:]
    private var block = FloatBlock(0)
    private var count = 0
    /// What one task lays out: rows of an entry's weight.
    private var tasks: [(entry: Int, rows: Range<Int>)] = []
    private var isComplete = false

    private static let taskRows = 8 * Panels.width

    /// - Parameters:
    ///   - part: rows of the weight; all if nil
    ///   - isTransposed: whether W^T is asked for
    func panels(_ weight: Slot, _ part: Range<Int>?, transposed isTransposed: Bool) -> Panels? {
        let rows = part ?? 0..<weight.rows
        let first = weight.offset + rows.lowerBound * weight.columns
        let key = Key(numbers: first..<first + rows.count * weight.columns, isTransposed: isTransposed)
        guard isComplete else {
            if indices[key] == nil {
                indices[key] = entries.count
                let entry = Entry(weight: weight, rows: rows, isTransposed: isTransposed, place: count)
                entries.append(entry)
                let (inputs, outputs) = Self.size(entry)
                count += Panels.count(inputs: inputs, outputs: outputs)
            }
            return nil
        }
        return indices[key].map { panels(entries[$0]) }
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
            let (index, rows) = tasks[task], entry = entries[index], own = weights[entry.weight].rows(entry.rows)
            if entry.isTransposed { panels(entry).pack(transposing: own, rows) } else { panels(entry).pack(own, rows) }
        }
    }

    private static func size(_ entry: Entry) -> (inputs: Int, outputs: Int) {
        let (rows, columns) = (entry.rows.count, entry.weight.columns)
        return entry.isTransposed ? (rows, columns) : (columns, rows)
    }

    private func panels(_ entry: Entry) -> Panels {
        let (inputs, outputs) = Self.size(entry)
        return Panels(inputs: inputs, outputs: outputs, unpackedAt: block.base + entry.place)
    }
}
