import CKernels
import Corpus
import Foundation
import Kernels
import Models
import Tensors

/// One place's activations of a split, mapped from disk: what is read of them is read when it is used, so that memory
/// does not grow with the corpus.
public final class CapturedActivations {
    /// Where each sentence's tokens start, and where the last one's end.
    public let offsets: [Int]
    public let memoryOffsets: [Int]
    public let width: Int
    // as they are handed out, so that a batch allocates nothing
    private let input: any RowSource
    private let output: any RowSource
    private let memory: (any RowSource)?
    private let files: [TensorFile]

    /// Rows of a tensor of either type.
    private struct Rows: RowSource {
        private let file: TensorFile
        private let bytes: UnsafeRawBufferPointer
        let width: Int
        let isHalf: Bool

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
        let width = configuration.width
        self.width = width
        let site = CaptureSite(span: spec.family.span, attention: spec.attention, layer: spec.layer!)
        let file = try TensorFile(path: path(site.fileName(split)))
        let memoryFile = spec.attention.readsMemory ? try TensorFile(path: path(CaptureSite.memoryName(split))) : nil
        input = try Rows(file, "input", tokens: offsets.last ?? 0, width: width)
        output = try Rows(file, "output", tokens: offsets.last ?? 0, width: width)
        memory = try memoryFile.map { try Rows($0, "memory", tokens: source.last ?? 0, width: width) }
        files = [file] + (memoryFile.map { [$0] } ?? [])
    }

    /// Lets the system take back the pages read so far: what is resident does not grow with the corpus.
    func releasePages() {
        for file in files { file.releasePages() }
    }

    public var sentences: Int { offsets.count - 1 }
    public var tokens: Int { offsets.last ?? 0 }

    /// These sentences, to be read when they are used.
    public func batch(_ sentences: ArraySlice<Int>) -> DistillationBatch {
        DistillationBatch(
            sentences: sentences, offsets: offsets, input: input, output: output, memory: memory,
            memoryOffsets: memoryOffsets)
    }

    /// Sum over all tokens of |output - mean output|^2, d numbers a token: what a network that always said the mean
    /// would be wrong by.
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
