import CKernels
import Corpus
import Foundation
import Kernels
import Models
import Tensors

/// One place's activations of a split, mapped from disk: what is read of them is read when it is used, so that memory
/// does not grow with the corpus. Before that it is compared with the hashes that were taken when it was written.
package final class CapturedActivations {
    /// Where each sentence's tokens start, and where the last one's end.
    package let offsets: [Int]
    package let memoryOffsets: [Int]
    package let width: Int
    private let input: Rows
    private let output: Rows
    private let memory: Rows?
    // as they are handed out, so that a batch allocates nothing
    private let sources: (input: any RowSource, output: any RowSource, memory: (any RowSource)?)
    private let files: [BlockCheckedFile]

    /// Rows of a tensor of either type.
    private struct Rows: RowSource {
        /// Keeps the mapping that `bytes` points into.
        private let file: TensorFile
        private let bytes: UnsafeRawBufferPointer
        let width: Int
        let isHalf: Bool
        private var rowBytes: Int { width * (isHalf ? 2 : 4) }

        init(_ file: TensorFile, _ name: String, tokens: Int, width: Int) throws {
            let info = try file.info(name)
            guard info.shape == [tokens, width], info.type == .f16 || info.type == .f32 else {
                throw DataError(
                    path: file.path, expected: "\(name) as F16 or F32 \([tokens, width])",
                    found: "\(info.type.rawValue) \(info.shape)", hint: "capture again")
            }
            self.file = file
            self.width = width
            bytes = try file.bytes(name)
            isHalf = info.type == .f16
        }

        /// What lies in the file of some rows.
        func bytes(_ rows: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[rows.lowerBound * rowBytes..<rows.upperBound * rowBytes])
        }

        func read(_ row: Int, into y: UnsafeMutablePointer<Float>) {
            let start = bytes.baseAddress! + row * rowBytes
            if isHalf {
                half_to_float(start.assumingMemoryBound(to: UInt16.self), y, width)
            } else {
                y.update(from: start.assumingMemoryBound(to: Float.self), count: width)
            }
        }
    }

    /// - Parameters:
    ///   - hashes: of the folder's files
    ///   - spec: of one layer
    package init(
        folder: String, _ hashes: BlockHashes, _ configuration: CaptureConfiguration, _ split: Split, _ spec: Spec
    ) throws {
        func open(_ name: String) throws -> BlockCheckedFile {
            try BlockCheckedFile(path: FilePath.join(folder, name), hashes)
        }
        let lengths = try open(CapturePoint.offsetsName(split))
        lengths.requestAll()
        try lengths.check(BlockHashes.serial)
        let source = try Self.offsets("source", in: lengths.file, maxTokens: configuration.maxTokens)
        let target = try Self.offsets(
            "target", in: lengths.file, maxTokens: configuration.maxTokens, count: source.count)
        offsets = spec.attention == .encoder ? source : target
        memoryOffsets = source
        let width = configuration.width
        self.width = width
        let point = CapturePoint(span: spec.family.span, attention: spec.attention, layer: spec.layer!)
        let file = try open(point.fileName(split))
        let memoryFile = spec.attention.readsMemory ? try open(CapturePoint.memoryName(split)) : nil
        input = try Rows(file.file, "input", tokens: offsets.last ?? 0, width: width)
        output = try Rows(file.file, "output", tokens: offsets.last ?? 0, width: width)
        memory = try memoryFile.map { try Rows($0.file, "memory", tokens: source.last ?? 0, width: width) }
        sources = (input, output, memory)
        files = [file] + (memoryFile.map { [$0] } ?? [])
    }

    /// Of the files that are mapped.
    var bytes: Int { files.reduce(0) { $0 + $1.file.bytes } }

    /// Lets the system take back the pages read so far.
    func releasePages(_ pool: WorkerPool) {
        for file in files { file.file.releasePages(pool.run) }
    }

    package var sentences: Int { offsets.count - 1 }
    package var tokens: Int { offsets.last ?? 0 }

    /// These sentences, to be read when they are used.
    ///
    /// - Throws: where one of them is not what was written
    package func batch(_ sentences: ArraySlice<Int>, _ pool: WorkerPool) throws -> DistillationBatch {
        try check(sentences, pool)
        return DistillationBatch(
            sentences: sentences, offsets: offsets, input: sources.input, output: sources.output,
            memory: sources.memory, memoryOffsets: memoryOffsets)
    }

    /// Compares the blocks that sentences lie in with their hashes, each block once.
    private func check(_ sentences: ArraySlice<Int>, _ pool: WorkerPool) throws {
        guard files.contains(where: { !$0.isWhole }) else { return }
        for sentence in sentences {
            let rows = offsets[sentence]..<offsets[sentence + 1]
            files[0].request(input.bytes(rows))
            files[0].request(output.bytes(rows))
            if let memory { files[1].request(memory.bytes(memoryOffsets[sentence]..<memoryOffsets[sentence + 1])) }
        }
        for file in files { try file.check(pool.run) }
    }

    /// Sum over all tokens of |output - mean output|^2, d numbers a token: what a network that always said the mean
    /// would be wrong by.
    package func totalVariation(_ pool: WorkerPool) throws -> Double {
        files[0].requestAll()
        try files[0].check(pool.run)
        var sum = [Double](repeating: 0, count: width), squares = 0.0
        var row = [Float](repeating: 0, count: width)
        for token in 0..<tokens {
            output.read(token, into: &row)
            for c in 0..<width {
                sum[c] += Double(row[c])
                squares += Double(row[c]) * Double(row[c])
            }
        }
        releasePages(pool)
        return squares - sum.reduce(0) { $0 + $1 * $1 } / Double(max(tokens, 1))
    }
}
