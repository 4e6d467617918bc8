import CExhaustion
import CKernels
import Foundation

/// A stack of floats for one pass over some sentences of a batch. Matrices are taken from it in order and given back
/// all at once, so that a step allocates nothing once the largest batch has been seen. The address sanitizer finds what
/// reaches past them or comes too late.
package final class Workspace {
    private var chunks: [FloatBlock] = []
    private var chunk = 0
    private var used = 0
    private static let alignment = 16
    private static let minimumChunk = 1 << 20
    /// Floats between two matrices.
    private static let gap = memory_is_watched() != 0 ? alignment : 0

    package init() {}

    deinit { chunks.forEach { $0.watch(0..<$0.count, isFree: false) } }

    /// Uninitialised floats. They stay valid until `release(to:)` an earlier mark.
    package func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(take(rows * columns), rows: rows, columns: columns)
    }

    package func zeros(_ rows: Int, _ columns: Int) -> Matrix {
        let result = matrix(rows, columns)
        result.fill(0)
        return result
    }

    package func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let rounded = (count + Self.alignment - 1) / Self.alignment * Self.alignment + Self.gap
        while chunk < chunks.count && used + rounded > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count {
            chunks.append(FloatBlock(uninitialized: max(rounded, Self.minimumChunk)))
            chunks[chunk].watch(0..<chunks[chunk].count, isFree: true)
        }
        defer { used += rounded }
        chunks[chunk].watch(used..<used + count, isFree: false)
        return chunks[chunk].base + used
    }

    /// Uninitialised integers, on the same terms.
    package func integers(_ count: Int) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(take(count)).bindMemory(to: Int32.self, capacity: count)
    }

    /// Uninitialised room for plain values, on the same terms.
    package func room<Value: BitwiseCopyable>(for type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        let floats = (MemoryLayout<Value>.stride * count + 3) / 4
        return UnsafeMutableRawPointer(take(floats)).bindMemory(to: Value.self, capacity: count)
    }

    package struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
    }

    package var mark: Mark { Mark(chunk: chunk, used: used) }

    package func release(to mark: Mark) {
        for index in mark.chunk..<max(mark.chunk, min(chunk + 1, chunks.count)) {
            chunks[index].watch((index == mark.chunk ? mark.used : 0)..<chunks[index].count, isFree: true)
        }
        chunk = mark.chunk
        used = mark.used
    }

    /// Gives back everything. Several chunks become one, so that the next pass is contiguous.
    package func reset() {
        if chunks.count > 1 {
            let total = chunks.reduce(0) { $0 + $1.count }
            chunks.forEach { $0.watch(0..<$0.count, isFree: false) }
            chunks.removeAll()  // before its successor exists, or the peak is twice as high
            chunks.append(FloatBlock(total))
        }
        chunks.forEach { $0.watch(0..<$0.count, isFree: true) }
        chunk = 0
        used = 0
    }

    /// Bytes held.
    package var bytes: Int { chunks.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }
}

/// Owner of floats on a 64-byte boundary. A large one takes no memory before it is written to.
package final class FloatBlock {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int
    private let isMapped: Bool
    private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    private static let mappedBytes = 1 << 20

    /// Zeros.
    package init(_ count: Int) {
        self.count = count
        isMapped = count * MemoryLayout<Float>.stride >= Self.mappedBytes
        guard isMapped else {
            base = Self.allocate(count)
            base.initialize(repeating: 0, count: count)
            return
        }
        let bytes = count * MemoryLayout<Float>.stride
        let raw = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let raw, raw != MAP_FAILED else { memory_exhausted(bytes) }
        base = raw.bindMemory(to: Float.self, capacity: count)
    }

    /// Memory that takes no room before it is written to.
    init(uninitialized count: Int) {
        self.count = count
        isMapped = false
        base = Self.allocate(count)
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, 64, bytes) == 0, let raw else { memory_exhausted(bytes) }
        return raw.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit {
        if isMapped { munmap(base, count * MemoryLayout<Float>.stride) } else { free(base) }
    }

    /// Tells the address sanitizer who may touch the floats.
    fileprivate func watch(_ range: Range<Int>, isFree: Bool) {
        (isFree ? memory_forbid : memory_allow)(base + range.lowerBound, range.count * MemoryLayout<Float>.stride)
    }

    /// The floats are wanted no more: whole pages of them are given back, and read as zeros from now on.
    package func discard(_ range: Range<Int>) {
        guard isMapped else { return }
        let first = (range.lowerBound * 4 + Self.page - 1) / Self.page * Self.page,
            end = range.upperBound * 4 / Self.page * Self.page
        if end > first { madvise(UnsafeMutableRawPointer(base) + first, end - first, MADV_DONTNEED) }
    }

    package func matrix(_ rows: Int, _ columns: Int, at offset: Int = 0) -> Matrix {
        require(
            offset >= 0 && offset + rows * columns <= count, "[\(rows) x \(columns)] at \(offset) of \(count) floats")
        return Matrix(base + offset, rows: rows, columns: columns)
    }

    package var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }
}
