import CKernels
import Foundation
import Kernels
import Models

extension Session {
    /// Every kernel on one thread, beside what bounds it.
    func kernels() {
        let peak = peak(1), work = KernelWork(vocabulary: configuration.targetVocabulary)
        defer { withExtendedLifetime(work) {} }  // its kernels hold pointers only
        for kernel in work.kernels {
            let rate = stopwatch.rate {
                kernel.body()
                return kernel.amount
            }
            let isMemory = kernel.bound == .memory
            let isInt8 = kernel.bound == .int8
            let limit = isMemory ? peak.bytes : isInt8 ? peak.byteOperations : peak.flops
            add(
                Measurement(
                    part: .kernels, name: kernel.name, threads: 1, value: rate / 1e9,
                    unit: isMemory ? "GB/s" : isInt8 ? "GOP/s" : "GFLOP/s",
                    fraction: limit > 0 ? rate / limit : nil, bound: kernel.bound))
        }
    }
}

/// Calls of the kernels: those bound by memory on arrays of 64 MB, which only the largest last caches hold, those bound
/// by arithmetic on the shapes of a teacher of width 128.
final class KernelWork {
    struct Kernel {
        let name: String
        let bound: Measurement.Bound
        /// Bytes read and written, or operations, of a call.
        let amount: Double
        let body: () -> Void
    }

    static let width = 128
    /// Rows of an array of 64 MB.
    static let rows = 1 << 17
    private let d = width, rows = KernelWork.rows
    private let vocabulary: Int
    /// Rows of a tile of a batch.
    private let tokens = 768
    private let dropout = dropout_t(seed: 1, stream: 1, step: 1, keep_below: 58982, scale: 1 / 0.9, row: 0)
    private let x: FloatBlock, y: FloatBlock, z: FloatBlock, columns: FloatBlock, perRow: FloatBlock
    private let half: UnsafeMutablePointer<UInt16>
    private(set) var kernels: [Kernel] = []

    init(vocabulary: Int) {
        self.vocabulary = vocabulary
        let count = max(Self.rows * d, d * vocabulary)
        (x, y, z) = (FloatBlock(count), FloatBlock(count), FloatBlock(count))
        random_uniform(x.base, count, 1, 1, 1)
        random_uniform(y.base, count, 2, 1, 1)
        columns = FloatBlock(8 * max(vocabulary, 512))
        perRow = FloatBlock(4 << 17)
        half = .allocate(capacity: count)
        half.initialize(repeating: 0, count: count)
        addElementwise()
        addConversionAndUpdate()
        addReplacements()
        addProducts()
        addAttention()
        addMixers()
    }

    deinit { half.deallocate() }

    /// a += b, row by row.
    static func addRows(_ a: Matrix, _ b: Matrix) { add_rows(a.base, a.stride, b.base, b.stride, a.rows, a.columns) }

    /// a += the same row everywhere.
    static func addRow(_ a: Matrix, _ row: UnsafePointer<Float>) { add_bias(a.base, row, a.rows, a.columns) }

    /// - Parameter bytes: for each element
    private func memory(_ name: String, _ bytes: Int, elements: Int? = nil, _ body: @escaping () -> Void) {
        kernels.append(Kernel(name: name, bound: .memory, amount: Double(bytes * (elements ?? rows * d)), body: body))
    }

    private func arithmetic(
        _ name: String, _ flops: Int, _ type: panel_type_t = panel_float32, body: @escaping () -> Void
    ) {
        kernels.append(
            Kernel(
                name: name, bound: type == panel_float32 ? .float32 : .int8, amount: Double(flops), body: body))
    }

    private func addElementwise() {
        let (x, y, z, c, r) = (x.base, y.base, z.base, columns.base, perRow.base),
            (rows, d, dropout) = (rows, d, dropout)
        memory("layer_norm_forward", 8) { layer_norm_forward(x, c, c + 128, z, r, r + rows, rows, d, 1e-5) }
        memory("layer_norm_backward", 16) { layer_norm_backward(x, c, y, z, r, r + rows, c + 256, c + 384, rows, d) }
        memory("add_bias", 8) { add_bias(z, c, rows, d) }
        memory("add_column_sums", 4) { add_column_sums(x, d, c + 256, rows, d) }
        memory("bias_relu_dropout_forward", 8) { bias_relu_dropout_forward(z, c, rows, d, dropout) }
        memory("bias_relu_dropout_backward", 12) { bias_relu_dropout_backward(x, z, rows, d, dropout) }
        memory("residual_forward", 12) { residual_forward(x, y, c, z, rows, d, dropout) }
        memory("residual_backward", 8) { residual_backward(x, z, rows, d, dropout) }
        let classes = vocabulary, labels = (0..<rows).map { Int32($0 % classes) },
            places = (0..<rows).map { Int32($0 % 50) }
        memory("embedding_forward", 8) { embedding_forward(x, labels, x, places, 11, z, rows, d, dropout) }
        memory("embedding_backward", 12) { embedding_backward(z, labels, x, 11, 0, classes, rows, d, dropout) }
        // 128 rows of logits, as the output layer makes them
        let logits = 128, bias = FloatBlock(classes)
        memory("cross_entropy", 8, elements: logits * classes) {
            var nll = 0.0
            _ = cross_entropy(z, bias.base, labels, logits, classes, 0.1, 1e-3, 1, &nll)
        }
    }

    private func addConversionAndUpdate() {
        let (x, z) = (x.base, z.base), half = half, count = rows * d
        memory("float_to_half", 6) { float_to_half(x, half, count) }
        memory("half_to_float", 6) { half_to_float(half, z, count) }
        let quarter = count / 4
        // a gradient read; weights and both moments read and written
        memory("adam_step", 28, elements: quarter) {
            let adam = adam_t(
                rate: 1e-4, beta1: 0.9, beta2: 0.98, epsilon: 1e-9, correction1: 0.1, correction2: 0.02, decay: 0)
            adam_step(z, z + quarter, z + 2 * quarter, x, quarter, adam)
        }
    }

    private func addReplacements() {
        let (x, y, z, c, r) = (x.base, y.base, z.base, columns.base, perRow.base),
            (rows, d, dropout) = (rows, d, dropout)
        memory("row_moments", 4) { row_moments(x, rows, d, r, r + rows) }
        memory("scale_columns", 8) { scale_columns(x, c, z, rows, d) }
        memory("add_rows", 12) { add_rows(z, d, x, d, rows, d) }
        memory("hidden_forward", 8) {
            hidden_forward(z, d, r, r + rows, c, c, rows, d, r + 2 * rows, r + 3 * rows, 1e-5)
        }
        memory("hidden_normalise", 8) { hidden_normalise(x, z, d, r, r + rows, c, c, rows, d, dropout) }
        memory("hidden_rows", 8) { _ = hidden_rows(x, nil, r, r + rows, c, c, c, rows, d, 1e-5, panel_float32, z) }
        memory("squared_error", 12) { _ = squared_error(z, c, x, d, rows, d, 1e-6, c + 256) }
        memory("compare_rows", 8) {
            var totals = [0.0, 0, 0]
            compare_rows(x, y, d, rows, d, &totals)
        }
    }

    private func addProducts() {
        let (x, y, z, c) = (x.base, y.base, z.base, columns.base), (tokens, d, vocabulary) = (tokens, d, vocabulary)
        let types = [(panel_float32, ""), (panel_int8, ", int8")]
        for (inputs, outputs) in [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)] {
            let flops = 2 * tokens * inputs * outputs
            for (type, name) in types {
                let panels = FloatBlock(panel_floats(inputs, outputs, type)),
                    scratch = FloatBlock(panel_scratch(tokens, inputs, type))
                panel_pack(y, inputs, panels.base, inputs, outputs, type)
                arithmetic("panel_product\(name) \(inputs) to \(outputs)", flops, type) {
                    panel_product(
                        panel_rows(x, inputs, nil, tokens, inputs, type, scratch.base), panels.base, nil, z, outputs,
                        nil, tokens, outputs, panel_bias)
                }
            }
            arithmetic("product \(outputs) to \(inputs)", flops) {
                product(x, outputs, y, inputs, z, inputs, tokens, inputs, outputs, 0)
            }
            arithmetic("product_transposed \(outputs) x \(inputs)", flops) {
                product_transposed(x, outputs, y, inputs, z, inputs, outputs, inputs, tokens, 1, nil)
            }
        }
        let rows = 96
        var best = [Float](repeating: 0, count: 4 * rows), index = [Int32](repeating: 0, count: 4 * rows)
        for (type, name) in types {
            let panels = FloatBlock(panel_floats(d, vocabulary, type)),
                bytes = FloatBlock(panel_scratch(rows, d, type)), scratch = FloatBlock(32 * rows)
            panel_pack(y, d, panels.base, d, vocabulary, type)
            arithmetic("panel_top_k\(name)", 2 * rows * d * vocabulary, type) {
                panel_top_k(
                    panel_rows(x, d, nil, rows, d, type, bytes.base), panels.base, c, vocabulary, 4, nil, 0,
                    scratch.base, &best, &index)
            }
        }
    }

    /// A sentence of 14 tokens, 8 heads of 16.
    private func addAttention() {
        let (x, y, z) = (x.base, y.base, z.base), (d, n, heads, head) = (d, 14, 8, 16), dropout = dropout,
            sentences = 54
        let weights = FloatBlock(heads * n * attention_row(n)), scratch = FloatBlock(attention_scratch(n, n, head))
        let forward = 4 * sentences * n * n * d
        arithmetic("attention_forward", forward) {
            for s in 0..<sentences {
                let q = x + s * n * 3 * d
                attention_forward(
                    q, 3 * d, q + d, q + 2 * d, 3 * d, z + s * n * d, d, weights.base, n, n, heads, head, 0,
                    scratch.base, dropout, 0)
            }
        }
        arithmetic("attention_backward", 2 * forward) {
            for s in 0..<sentences {
                let q = x + s * n * 3 * d, dq = z + s * n * 3 * d
                attention_backward(
                    q, 3 * d, q + d, q + 2 * d, 3 * d, y + s * n * d, d, weights.base, n, n, heads, head, dq, dq + d,
                    dq + 2 * d, scratch.base, dropout)
            }
        }
    }

    /// What they are given becomes weights and gradients in its place, so that values fall to zero: as fast as others.
    private func addMixers() {
        for (name, mixer) in MixerWork.mixers {
            let work = MixerWork(mixer)
            arithmetic("mixer_forward \(name)", work.forwardOperations, body: work.forward)
            arithmetic("mixer_backward \(name)", 2 * work.forwardOperations, body: work.backward)
            if mixer.causal == 1 {
                arithmetic("mixer_step \(name)", work.stepOperations, body: work.step)
            } else {
                arithmetic("mixer_read \(name)", work.readOperations, body: work.read)
            }
        }
    }
}
