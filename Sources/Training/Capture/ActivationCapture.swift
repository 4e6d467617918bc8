import CKernels
import Corpus
import Kernels
import Models
import Tensors

/// Runs a model over a split, teacher-forced and without dropout, and writes what its attentions take in and put out:
/// real tokens only, in the order of the shard, all places in one pass, which goes no deeper than the deepest of them.
package final class ActivationCapture {
    private let configuration: CaptureConfiguration
    private let pool: WorkerPool
    private let workers: [CaptureWorker]
    private var written: [String] = []
    /// Source and target tokens of one forward pass.
    private static let batchTokens = 4000

    package init(_ model: Transformer, weights: FloatBlock, _ configuration: CaptureConfiguration, pool: WorkerPool) {
        self.configuration = configuration
        self.pool = pool
        workers = (0..<pool.threads).map { _ in
            CaptureWorker(TransformerPass(model, weights: weights, to: configuration.points))
        }
    }

    /// Bytes that `write` will need for this shard.
    package func bytes(_ shard: TokenShard) -> Int {
        let counts = TokenCounts(shard), token = configuration.width * configuration.elementType.bytes
        let points = configuration.points.reduce(0) { $0 + 2 * token * counts.tokens($1.attention) }
        return points + (configuration.needsMemory ? token * counts.source : 0) + 16 * (shard.count + 1)
    }

    /// - Parameters:
    ///   - progress: told how many sentences are done
    ///   - stop: asked now and then; a capture that is stopped throws what this throws and leaves nothing
    package func write(
        _ shard: TokenShard, _ split: Split, to folder: OutputFolder, progress: (Int) -> Void, stop: () throws -> Void
    ) throws {
        let counts = TokenCounts(shard)
        try writeOffsets(shard, split, to: folder)
        let writers = try configuration.points.map { point in
            let shape = [counts.tokens(point.attention), configuration.width]
            return try TensorFileWriter(
                path: folder.path(point.fileName(split)),
                tensors: [("input", configuration.elementType, shape), ("output", configuration.elementType, shape)])
        }
        let memory =
            configuration.needsMemory
            ? try TensorFileWriter(
                path: folder.path(CapturePoint.memoryName(split)),
                tensors: [("memory", configuration.elementType, [counts.source, configuration.width])])
            : nil
        let batches = shard.consecutiveBatches(of: Self.batchTokens) {
            shard.source.length($0) + shard.targetTokens($0)
        }
        try pool.inRounds(batches, stop: stop, progress: progress) { batch, worker in
            try capture(shard, batch, worker: workers[worker], writers, memory)
        }
        for writer in writers + [memory].compactMap({ $0 }) {
            try writer.finish()
            written.append(FilePath.name(writer.path))
        }
    }

    /// Hashes of the blocks of all that was written, at the end.
    package func writeBlockHashes(to folder: OutputFolder) throws {
        try BlockHashes.write(
            of: written, in: folder.unfinished, to: folder.path(BlockHashes.fileName), pool.run)
    }

    private func capture(
        _ shard: TokenShard, _ sentences: Range<Int>, worker: CaptureWorker, _ writers: [TensorFileWriter],
        _ memory: TensorFileWriter?
    ) throws {
        worker.batch.removeAll()
        worker.batch.append(sentences, of: shard)
        let encoded = worker.pass.run(worker.batch)
        let source = shard.source.offsets[sentences.lowerBound],
            target = shard.firstTargetToken(sentences.lowerBound)
        for (point, writer) in zip(configuration.points, writers) {
            let activations = worker.pass.activations(point)
            let token = point.attention == .encoder ? source : target
            try write(activations.input, "input", token, writer, worker.scratch)
            try write(activations.output, "output", token, writer, worker.scratch)
        }
        if let memory { try write(encoded, "memory", source, memory, worker.scratch) }
    }

    private func write(
        _ matrix: Matrix, _ name: String, _ token: Int, _ writer: TensorFileWriter, _ space: Workspace
    ) throws {
        guard configuration.elementType == .f16 else {
            return try writer.write(
                name, at: token * matrix.columns, UnsafeRawBufferPointer(start: matrix.base, count: matrix.count * 4))
        }
        let mark = space.mark
        defer { space.release(to: mark) }
        let half = UnsafeMutableRawPointer(space.take((matrix.count + 1) / 2)).bindMemory(
            to: UInt16.self, capacity: matrix.count)
        float_to_half(matrix.base, half, matrix.count)
        try writer.write(name, at: token * matrix.columns, UnsafeRawBufferPointer(start: half, count: matrix.count * 2))
    }

    private func writeOffsets(_ shard: TokenShard, _ split: Split, to folder: OutputFolder) throws {
        let shape = [shard.count + 1]
        let writer = try TensorFileWriter(
            path: folder.path(CapturePoint.offsetsName(split)),
            tensors: [("source", .i64, shape), ("target", .i64, shape)])
        try writer.write("source", shard.source.offsets)
        // the decoder sees <s> before each sentence
        try writer.write("target", shard.target.offsets.enumerated().map { $1 + $0 })
        try writer.finish()
        written.append(CapturePoint.offsetsName(split))
    }
}

/// What one thread works with.
private final class CaptureWorker {
    let pass: TransformerPass
    var batch = PairBatch()
    let scratch = Workspace()

    init(_ pass: TransformerPass) { self.pass = pass }
}

/// Tokens that a model sees of a shard.
private struct TokenCounts {
    let source: Int
    let target: Int

    init(_ shard: TokenShard) {
        source = shard.source.ids.count
        target = shard.targetTokens
    }

    func tokens(_ attention: Attention) -> Int { attention == .encoder ? source : target }
}
