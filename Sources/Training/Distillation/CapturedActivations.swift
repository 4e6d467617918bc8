import CKernels
import Corpus
import Foundation
import Kernels
import Models
import Tensors

/// One place's activations of a split, mapped from disk: what is read of them is read when it is used, so that memory does
/// not grow with the corpus.
public final class CapturedActivations {
    /// Where each sentence's tokens start, and where the last one's end.
    public let offsets: [Int]
    public let memoryOffsets: [Int]
    public let width: Int
    private let input: Rows
    private let output: Rows
    private let memory: Rows?

    /// Rows of a tensor of either type.
    private struct Rows {
        let file: TensorFile
        let bytes: UnsafeRawBufferPointer
        let width: Int
        let isHalf: Bool

        init(_ file: TensorFile, _ name: String, tokens: Int, width: Int) throws {
            let info = try file.info(name)
            guard info.shape == [tokens, width], info.type == .f16 || info.type == .f32 else {
                throw DataError(
                    path: file.path, expected: "\(name) as F16 or F32 \([tokens, width])", found: "\(info.type.rawValue) \(info.shape)", hint: "capture again")
            }
            self.file = file
            self.width = width
            bytes = try file.bytes(name)
            isHalf = info.type == .f16
        }

        func read(_ row: Int, into y: UnsafeMutablePointer<Float>) {
            let start = bytes.baseAddress! + row * width * (isHalf ? 2 : 4)
            if isHalf {
                half_to_float(start.assumingMemoryBound(to: UInt16.self), y, width)
            } else {
                y.update(from: start.assumingMemoryBound(to: Float.self), count: width)
            }
        }
    }

    /// - Parameter spec: of one layer
    public init(folder: String, _ configuration: CaptureConfiguration, _ split: Split, _ spec: Spec) throws {
        func path(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
        let lengths = try TensorFile(path: path(CaptureSite.offsetsName(split)))
        let source = try Self.offsets("source", in: lengths, maxTokens: configuration.maxTokens)
        let target = try Self.offsets("target", in: lengths, maxTokens: configuration.maxTokens, count: source.count)
        offsets = spec.attention == .encoder ? source : target
        memoryOffsets = source
        width = configuration.width
        let site = CaptureSite(mode: spec.mode, attention: spec.attention, layer: spec.layer!)
        let file = try TensorFile(path: path(site.fileName(split)))
        input = try Rows(file, "input", tokens: offsets.last ?? 0, width: width)
        output = try Rows(file, "output", tokens: offsets.last ?? 0, width: width)
        memory = spec.attention.readsMemory
            ? try Rows(TensorFile(path: path(CaptureSite.memoryName(split))), "memory", tokens: source.last ?? 0, width: width) : nil
    }

    /// Lets the system take back the pages read so far: what is resident does not grow with the corpus.
    func releasePages() {
        input.file.releasePages()
        output.file.releasePages()
        memory?.file.releasePages()
    }

    public var sentences: Int { offsets.count - 1 }
    public var tokens: Int { offsets.last ?? 0 }

    /// The orders of a batch's sides, whose memory serves one batch after another.
    public struct Orders {
        fileprivate var target = PositionMajor()
        fileprivate var memory = PositionMajor()

        public init() {}
    }

    /// Tokens of these sentences in position-major order.
    ///
    /// - Parameters:
    ///   - orders: overwritten with the batch's; they allocate nothing where no earlier batch is in use any more
    ///   - space: what the matrices are taken from
    public func batch(
        _ sentences: ArraySlice<Int>, maxTokens: Int, _ orders: inout Orders, _ space: Workspace, pool: WorkerPool
    ) -> (ReplacementBatch, wanted: Matrix) {
        Self.arrange(&orders.target, sentences, offsets, maxTokens)
        let order = orders.target
        let x = gather(input, offsets, sentences, order, space, pool), wanted = gather(output, offsets, sentences, order, space, pool)
        let target = ReplacementSide(order: order, x: x)
        guard let memory else { return (ReplacementBatch(target: target), wanted) }
        Self.arrange(&orders.memory, sentences, memoryOffsets, maxTokens)
        let side = ReplacementSide(order: orders.memory, x: gather(memory, memoryOffsets, sentences, orders.memory, space, pool))
        return (ReplacementBatch(target: target, memory: side), wanted)
    }

    private static func arrange(_ order: inout PositionMajor, _ sentences: ArraySlice<Int>, _ offsets: [Int], _ maxTokens: Int) {
        order.arrange(sentences.count, limit: maxTokens) { index in
            let sentence = sentences[sentences.startIndex + index]
            return offsets[sentence + 1] - offsets[sentence]
        }
    }

    private func gather(_ rows: Rows, _ offsets: [Int], _ sentences: ArraySlice<Int>, _ order: PositionMajor, _ space: Workspace, _ pool: WorkerPool) -> Matrix {
        let result = space.matrix(order.tokens, width), parts = 8
        pool.run(parts) { part in
            order.forEachRow(order.tokens * part / parts..<order.tokens * (part + 1) / parts) { row, sentence, position in
                rows.read(offsets[sentences[sentences.startIndex + sentence]] + position, into: result.row(row))
            }
        }
        return result
    }

    /// Sum over all tokens of |output - mean output|^2, d numbers a token: what a network that always said the mean would be
    /// wrong by.
    public func totalVariation() -> Double {
        var sum = [Double](repeating: 0, count: width), squares = 0.0
        var row = [Float](repeating: 0, count: width)
        for token in 0..<tokens {
            output.read(token, into: &row)
            for c in 0..<width {
                sum[c] += Double(row[c])
                squares += Double(row[c]) * Double(row[c])
            }
        }
        return squares - sum.reduce(0) { $0 + $1 * $1 } / Double(max(tokens, 1))
    }
}
