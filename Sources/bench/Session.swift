import CKernels
import Corpus
import Foundation
import Kernels
import Models
import Stages
import Tensors

/// One run of the benchmarks: what they share, and what they have found.
final class Session {
    let folder: TokenFolder
    let settings: BenchConfiguration
    let stopwatch: Stopwatch
    let train: TokenShard
    let test: TokenShard
    let configuration: TransformerConfiguration
    /// One and all of the threads.
    let threadCounts: [Int]
    private(set) var report: BenchReport
    let outputFolder: String
    private let run: StageRun
    private var peaks: [Peak] = []

    /// What the machine can do with so many threads.
    struct Peak {
        let threads: Int
        /// Twice the multiply-adds a second of numbers in registers; of bytes 0 where there is no instruction for them.
        let flops: Double
        let byteOperations: Double
        /// Of OpenBLAS, for comparison.
        let sgemm: Double
        let bytes: Double
    }

    init(_ folder: TokenFolder, _ settings: BenchConfiguration, _ run: StageRun) throws {
        self.folder = folder
        self.settings = settings
        self.run = run
        outputFolder = run.folder.unfinished
        stopwatch = Stopwatch(seconds: settings.seconds, stopIfRequested: run.leaveIfStopRequested)
        train = try folder.shard(.train)
        guard train.count >= 16 else {
            throw DataError(
                path: folder.path, expected: "at least 16 training pairs", found: "\(train.count)",
                hint: "measure on a larger corpus")
        }
        if settings.parts.contains(where: [.scaling, .translation, .text].contains) {
            try folder.requireSentences(.test)
        }
        test = try folder.shard(.test)
        guard test.count == 0 || !test.source.ids.isEmpty else {
            throw DataError(
                path: folder.path, expected: "test sentences of words", found: "none but empty ones",
                hint: "measure on another corpus")
        }
        var model = TransformerConfiguration(
            sourceVocabulary: folder.configuration.sourceVocabularySize,
            targetVocabulary: folder.configuration.targetVocabularySize)
        model.maxTokens = folder.configuration.maxTokens
        configuration = model
        threadCounts = run.threads > 1 ? [1, run.threads] : [1]
        let words = folder.configuration
        report = BenchReport(
            machine: ThisMachine.processor, cores: Cores.allowed, load: ThisMachine.load,
            sentences: "\(words.corpus) \(words.pair), \(Format.count(train.count)) pairs, "
                + String(format: "%.1f and %.1f tokens on average", train.meanSource, train.meanTarget))
    }

    func measure(_ part: Part) throws {
        if [.training, .distillation].contains(part) { _ = peak(1) }  // whose arrays are not the part's
        ThisMachine.resetPeakResidentBytes()
        switch part {
        case .peak: _ = peak(1)
        case .kernels: kernels()
        case .training: training()
        case .shapes: shapes()
        case .scaling: try scaling()
        case .distillation: try distillation()
        case .translation: try translation()
        case .text: try text()
        }
        guard ![.peak, .kernels, .shapes, .scaling].contains(part) else { return }
        add(part, "peak memory", threads: run.threads, Double(ThisMachine.peakResidentBytes) / 1048576, "MiB")
    }

    func add(_ part: Part, _ name: String, threads: Int, _ value: Double, _ unit: String, note: String? = nil) {
        add(Measurement(part: part, name: name, threads: threads, value: value, unit: unit, note: note))
    }

    func add(_ measurement: Measurement) {
        report.measurements.append(measurement)
        let what = "\(measurement.part.rawValue): \(measurement.name), \(measurement.threads) threads"
        run.log.info("\(what): \(Format.rate(measurement.value)) \(measurement.unit)")
    }

    /// The machine's limits, measured when they are first asked for.
    func peak(_ threads: Int) -> Peak {
        if peaks.isEmpty {
            for count in threadCounts {
                let peak = measurePeak(count)
                peaks.append(peak)
                add(.peak, "float32", threads: count, peak.flops / 1e9, "GFLOP/s")
                if peak.byteOperations > 0 {
                    add(.peak, "int8", threads: count, peak.byteOperations / 1e9, "GOP/s")
                }
                add(
                    Measurement(
                        part: .peak, name: "sgemm", threads: count, value: peak.sgemm / 1e9, unit: "GFLOP/s",
                        fraction: peak.sgemm / peak.flops, bound: .float32))
                add(.peak, "memory", threads: count, peak.bytes / 1e9, "GB/s")
            }
        }
        return peaks.first { $0.threads == threads }!
    }

    /// float32 and int8: multiply-adds of numbers in registers. sgemm: the best of three sizes, each thread on matrices
    /// of its own. Memory: the best of a += b and of a += constant, over arrays of the size that the kernels are
    /// measured on.
    private func measurePeak(_ threads: Int) -> Peak {
        let pool = WorkerPool(threads: threads)
        let (flops, byteOperations) = (
            multiplyAdds(pool, float_multiply_adds), multiplyAdds(pool, byte_multiply_adds)
        )
        let sgemm = [512, 1024, 2048].map { n in
            let blocks = (0..<3 * threads).map { _ in FloatBlock(n * n) }
            return stopwatch.limit {
                pool.run(threads) { t in
                    OpenBLAS.product(
                        blocks[3 * t].matrix(n, n), blocks[3 * t + 1].matrix(n, n),
                        into: blocks[3 * t + 2].matrix(n, n))
                }
                return 2 * Double(threads) * pow(Double(n), 3)
            }
        }
        let rows = KernelWork.rows, columns = KernelWork.width, zeros = FloatBlock(columns)
        let arrays = (0..<2 * threads).map { _ in FloatBlock(rows * columns) }
        let works: [(bytes: Int, (Int) -> Void)] = [
            (
                12,
                { KernelWork.addRows(arrays[2 * $0].matrix(rows, columns), arrays[2 * $0 + 1].matrix(rows, columns)) }
            ),
            (8, { KernelWork.addRow(arrays[2 * $0].matrix(rows, columns), zeros.base) }),
        ]
        let bytes = works.map { bytes, work in
            stopwatch.limit {
                pool.run(threads, work)
                return Double(threads * rows * columns * bytes)
            }
        }
        return Peak(
            threads: threads, flops: flops, byteOperations: byteOperations, sgemm: sgemm.max()!, bytes: bytes.max()!)
    }

    /// Operations a second, two a multiply-add; 0 where there are none.
    private func multiplyAdds(
        _ pool: WorkerPool, _ run: @escaping (Int, UnsafeMutablePointer<Float>?) -> Int
    ) -> Double {
        let sums = (0..<pool.threads).map { _ in FloatBlock(32) }
        guard run(1, sums[0].base) > 0 else { return 0 }
        let counts = UnsafeMutablePointer<Int>.allocate(capacity: pool.threads)
        defer { counts.deallocate() }
        return stopwatch.limit {
            pool.run(pool.threads) { counts[$0] = run(100_000, sums[$0].base) }
            return 2 * (0..<pool.threads).reduce(0.0) { $0 + Double(counts[$1]) }
        }
    }
}

extension TokenShard {
    var meanSource: Double { Double(source.ids.count) / Double(max(count, 1)) }
    /// `</s>` included.
    var meanTarget: Double { Double(target.ids.count) / Double(max(count, 1)) + 1 }

    /// The first `count` sentences.
    func prefix(_ count: Int) -> TokenShard {
        var result = TokenShard()
        for i in 0..<Swift.min(count, self.count) {
            result.append(source: source[i].map { Int($0) }, target: target[i].map { Int($0) })
        }
        return result
    }
}
