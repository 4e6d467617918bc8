import CKernels
import Foundation
import Kernels
import Models
import TestSupport
import Testing

struct SearchKernelTests {
    /// A row's dot product, as the oracle.
    private func naive(_ x: [Float], _ w: [Float], _ bias: [Float], row: Int, output: Int, inputs: Int) -> Double {
        (0..<inputs).reduce(Double(bias[output])) {
            $0 + Double(x[row * inputs + $1]) * Double(w[output * inputs + $1])
        }
    }

    private func packed(_ w: [Float], inputs: Int, outputs: Int, _ type: panel_type_t = panel_float32) -> [Float] {
        var panels = [Float](repeating: .nan, count: panel_floats(inputs, outputs, type))
        panel_pack(w, inputs, &panels, inputs, outputs, type)
        return panels
    }

    /// Calls `body` with rows of x, at `places` if any.
    private func withRows(
        _ x: [Float], _ places: [Int32]? = nil, rows: Int, inputs: Int, _ type: panel_type_t,
        _ body: (panel_rows_t) -> Void
    ) {
        var scratch = [Float](repeating: .nan, count: panel_scratch(rows, inputs, type))
        x.withUnsafeBufferPointer { x in
            scratch.withUnsafeMutableBufferPointer { scratch in
                func call(_ places: UnsafePointer<Int32>?) {
                    body(panel_rows(x.baseAddress!, inputs, places, rows, inputs, type, scratch.baseAddress!))
                }
                if let places { places.withUnsafeBufferPointer { call($0.baseAddress!) } } else { call(nil) }
            }
        }
    }

    private func product(
        _ x: [Float], from: [Int32]? = nil, _ panels: [Float], _ bias: [Float]?, into y: inout [Float],
        stride: Int? = nil, to: [Int32]? = nil,
        rows: Int, _ inputs: Int, _ outputs: Int, _ type: panel_type_t, _ mode: panel_mode_t = panel_bias
    ) {
        withRows(x, from, rows: rows, inputs: inputs, type) {
            panel_product($0, panels, bias, &y, stride ?? outputs, to, rows, outputs, mode)
        }
    }

    /// What bytes keep of each row: its multiple of max |x| / 127.
    private func quantised(_ x: [Float], rows: Int, columns: Int, _ type: panel_type_t) -> [Float] {
        guard type != panel_float32 else { return x }
        return (0..<rows).flatMap { row -> [Float] in
            let own = x[row * columns..<(row + 1) * columns], top = own.map(abs).max()!
            return own.map { ($0 * (127 / top)).rounded(.toNearestOrEven) * (top / 127) }
        }
    }

    @Test(arguments: [1, 2, 5, 6, 7, 13], [panel_float32, panel_int8, panel_int8_avx2, panel_int8_portable])
    func products(rows: Int, type: panel_type_t) {
        for (inputs, outputs) in [(1, 1), (3, 17), (16, 64), (31, 65), (128, 130), (515, 64)] {
            var random = SearchRandom(UInt64(rows * 1000 + inputs))
            let given = random.floats(rows * inputs), weights = random.floats(inputs * outputs), stride = outputs + 2
            let x = quantised(given, rows: rows, columns: inputs, type),
                w = quantised(weights, rows: outputs, columns: inputs, type)
            let panels = packed(weights, inputs: inputs, outputs: outputs, type)
            for (mode, hasBias) in [
                (panel_bias, true), (panel_relu, true), (panel_add, true), (panel_bias, false), (panel_relu, false),
                (panel_add, false),
            ] {
                let before = random.floats(rows * stride),
                    bias = hasBias ? random.floats(outputs) : [Float](repeating: 0, count: outputs)
                var y = before
                product(
                    given, panels, hasBias ? bias : nil, into: &y, stride: stride, rows: rows, inputs, outputs, type,
                    mode)
                for row in 0..<rows {
                    for output in 0..<stride {
                        let at = row * stride + output
                        guard output < outputs else {
                            #expect(y[at] == before[at], "wrote beside the matrix")
                            continue
                        }
                        let product = naive(x, w, bias, row: row, output: output, inputs: inputs)
                        let expected =
                            switch mode {
                            case panel_bias: product
                            case panel_relu: max(0, product)
                            case panel_add: Double(before[at]) + product
                            default: Double.nan
                            }
                        #expect(
                            abs(Double(y[at]) - expected) < 1e-5 * Double(inputs).squareRoot(),
                            "[\(rows) x \(inputs)] to \(outputs), mode \(mode), bias \(hasBias), row \(row) output \(output)"
                        )
                    }
                }
            }
        }
    }

    /// What is not a number is found where it appears, not taken for 0.
    @Test(arguments: [panel_float32, panel_int8, panel_int8_portable])
    func reluKeepsWhatIsNoNumber(type: panel_type_t) {
        var random = SearchRandom(3)
        let rows = 3, inputs = 31, outputs = 130, spoilt = [3, 64, 129]
        var bias = random.floats(outputs), y = [Float](repeating: 0, count: rows * outputs)
        for output in spoilt { bias[output] = .nan }
        product(
            random.floats(rows * inputs),
            packed(random.floats(inputs * outputs), inputs: inputs, outputs: outputs, type),
            bias, into: &y, stride: outputs, rows: rows, inputs, outputs, type, panel_relu)
        for at in y.indices { #expect(y[at].isNaN == spoilt.contains(at % outputs), "element \(at)") }
    }

    /// Rows taken from and put to places in any order; what no row goes to stays.
    @Test(arguments: [5, 6, 13], [panel_float32, panel_int8])
    func productsOfRowsElsewhere(rows: Int, type: panel_type_t) {
        var random = SearchRandom(UInt64(rows))
        let inputs = 31, outputs = 130, xRows = rows + 3, yRows = 2 * rows + 1
        let from = (0..<rows).map { Int32(($0 * 5 + 2) % xRows) }, to = (0..<rows).map { Int32(($0 * 5 + 1) % yRows) }
        #expect(Set(to).count == rows)
        let x = random.floats(xRows * inputs),
            panels = packed(random.floats(inputs * outputs), inputs: inputs, outputs: outputs, type)
        let bias = random.floats(outputs), before = random.floats(yRows * outputs)
        for mode in [panel_bias, panel_relu, panel_add] {
            var y = before, expected = before
            product(x, from: from, panels, bias, into: &y, to: to, rows: rows, inputs, outputs, type, mode)
            for row in 0..<rows {
                let own = Int(to[row]) * outputs..<(Int(to[row]) + 1) * outputs, start = Int(from[row]) * inputs
                var one = Array(before[own])
                product(
                    Array(x[start..<start + inputs]), panels, bias, into: &one, rows: 1, inputs, outputs, type, mode)
                expected.replaceSubrange(own, with: one)
            }
            let isExpected = y == expected
            #expect(isExpected, "\(rows) rows, mode \(mode)")
        }
    }

    /// The hidden layer of translation is that of training, without dropout and before the shift: a product with the
    /// unit matrix shows what its rows are.
    @Test(arguments: [1, 25, 800], [panel_float32, panel_int8, panel_int8_avx2, panel_int8_portable])
    func hiddenLayer(width: Int, type: panel_type_t) {
        var random = SearchRandom(UInt64(width))
        let rows = 8, places: [Int32] = [3, 0, 6, 5, 1, 2, 8, 7], epsilon: Float = 1e-5
        let pre = random.floats(9 * width), mean = random.floats(rows), rstd = random.floats(rows).map { 1 + abs($0) }
        let (u, v, gain) = (random.floats(width), random.floats(width), random.floats(width)),
            none = dropout_t(seed: 0, stream: 0, step: 0, keep_below: 65536, scale: 1, row: 0)
        var unit = [Float](repeating: 0, count: width * width),
            scratch = [Float](repeating: .nan, count: hidden_scratch(rows, width, type))
        for i in 0..<width { unit[i * width + i] = 1 }
        var h = [Float](repeating: .nan, count: rows * width)
        pre.withUnsafeBufferPointer { pre in
            scratch.withUnsafeMutableBufferPointer { scratch in
                let hidden = hidden_rows(
                    pre.baseAddress!, places, mean, rstd, u, v, gain, rows, width, epsilon, type, scratch.baseAddress!)
                panel_product(
                    hidden, packed(unit, inputs: width, outputs: width, type), nil, &h, width, nil, rows, width,
                    panel_bias)
            }
        }

        var y = places.flatMap { pre[Int($0) * width..<(Int($0) + 1) * width] }, expected = h
        var outMean = [Float](repeating: 0, count: rows), outRstd = outMean
        hidden_forward(&y, width, mean, rstd, u, v, rows, width, &outMean, &outRstd, epsilon)
        hidden_normalise(
            y, &expected, width, outMean, outRstd, gain, [Float](repeating: 0, count: width), rows, width, none)
        for row in 0..<rows {
            let range = row * width..<(row + 1) * width, top = expected[range].map(abs).max()!
            let error = range.map { abs(h[$0] - expected[$0]) }.worst
            #expect(error <= (type == panel_float32 ? 1e-5 : 0.51 * top / 127 + 1e-5), "row \(row)")
        }
    }

    /// The same row alone, among others, and at any place among them: the same bits.
    @Test(arguments: [panel_float32, panel_int8])
    func aRowDoesNotDependOnItsNeighbours(type: panel_type_t) {
        var random = SearchRandom(3)
        let inputs = 128, outputs = 200, rows = 23
        let x = random.floats(rows * inputs),
            panels = packed(random.floats(inputs * outputs), inputs: inputs, outputs: outputs, type),
            bias = random.floats(outputs)
        var all = [Float](repeating: 0, count: rows * outputs)
        product(x, panels, bias, into: &all, rows: rows, inputs, outputs, type)
        for row in 0..<rows {
            var one = [Float](repeating: 0, count: outputs)
            product(
                Array(x[row * inputs..<(row + 1) * inputs]), panels, bias, into: &one, rows: 1, inputs, outputs, type)
            #expect(one == Array(all[row * outputs..<(row + 1) * outputs]), "row \(row)")
        }
    }

    /// Rows laid out once serve several products, each of as many of the first as it wants.
    @Test(arguments: [panel_float32, panel_int8])
    func theFirstOfManyRows(type: panel_type_t) {
        var random = SearchRandom(4)
        let inputs = 35, outputs = 70, rows = 13, x = random.floats(rows * inputs)
        let panels = packed(random.floats(inputs * outputs), inputs: inputs, outputs: outputs, type)
        withRows(x, rows: rows, inputs: inputs, type) { all in
            for count in [7, 5, 13, 0] {
                var y = [Float](repeating: 9, count: rows * outputs), expected = y
                panel_product(all, panels, nil, &y, outputs, nil, count, outputs, panel_bias)
                product(Array(x[..<(count * inputs)]), panels, nil, into: &expected, rows: count, inputs, outputs, type)
                #expect(y == expected, "\(count) rows")
            }
        }
    }

    /// Panels of W^T, laid out from W in two parts, are those of the transposed matrix.
    @Test(arguments: [(1, 1), (3, 17), (16, 64), (31, 65), (300, 130)])
    func panelsOfTheTransposedWeight(inputs: Int, outputs: Int) {
        var random = SearchRandom(6)
        let w = random.floats(inputs * outputs)  // [inputs, outputs]
        let transposed = (0..<outputs).flatMap { o in (0..<inputs).map { w[$0 * outputs + o] } }
        var panels = [Float](repeating: .nan, count: panel_floats(inputs, outputs, panel_float32))
        for (first, count) in [(0, inputs / 3), (inputs / 3, inputs - inputs / 3)] {
            panel_pack_transposed(w, outputs, &panels, inputs, outputs, first, count)
        }
        #expect(panels == packed(transposed, inputs: inputs, outputs: outputs))
    }

    /// A product over some inputs that another one over the rest goes on from is that over all, to the last bit.
    @Test(arguments: [1, 6, 7, 13], [(2, 1), (19, 17), (513, 64), (700, 130)])
    func sumsGoOn(rows: Int, size: (inputs: Int, outputs: Int)) {
        let (inputs, outputs) = size, first = inputs / 2
        var random = SearchRandom(UInt64(rows + inputs))
        let x = random.floats(rows * inputs), w = random.floats(outputs * inputs)
        func part(_ matrix: [Float], _ columns: Range<Int>) -> [Float] {
            stride(from: 0, to: matrix.count, by: inputs).flatMap { start in columns.map { matrix[start + $0] } }
        }
        var y = [Float](repeating: 0, count: rows * outputs), whole = y
        product(
            x, packed(w, inputs: inputs, outputs: outputs), nil, into: &whole, rows: rows, inputs, outputs,
            panel_float32)
        for columns in [0..<first, first..<inputs] {
            product(
                part(x, columns), packed(part(w, columns), inputs: columns.count, outputs: outputs), nil, into: &y,
                rows: rows, columns.count, outputs, panel_float32, columns.lowerBound == 0 ? panel_bias : panel_go_on)
        }
        #expect(y == whole)
    }

    /// Integers are exact up to the most inputs there may be: all of one sign, and as large as bytes get.
    @Test(arguments: [Float(1), -1], [panel_int8, panel_int8_avx2, panel_int8_portable]) func bytesDoNotOverflow(
        sign: Float, type: panel_type_t
    ) {
        let inputs = 65_536, x = [Float](repeating: 3, count: inputs), w = [Float](repeating: sign * 2, count: inputs)
        var y = [Float](repeating: 0, count: 1)
        product(x, packed(w, inputs: inputs, outputs: 1, type), nil, into: &y, rows: 1, inputs, 1, type)
        #expect(abs(y[0] / (sign * 6 * Float(inputs)) - 1) < 1e-6)
    }

    /// More inputs than bytes can sum: the weights stay what they are.
    @Test func tooWideForBytes() {
        let inputs = Precision.widestInt8 + 1, space = Workspace()
        let x = space.matrix(1, inputs), w = space.matrix(1, inputs), results = space.zeros(2, 1)
        for i in 0..<inputs { (x[0, i], w[0, i]) = (Float(i % 7) - 3, Float(i % 5) * 0.1) }
        LinearPanels(w)(x, into: results.rows(0..<1), space)
        LinearPanels(w, .int8)(x, into: results.rows(1..<2), space)
        #expect(results[0, 0] == results[1, 0] && results[0, 0] != 0)
    }

    /// Instructions of a processor's own change nothing, not even a bit.
    @Test func bytesAreTheSameEverywhere() {
        var random = SearchRandom(8)
        let (rows, inputs, outputs) = (13, 131, 192), x = random.floats(rows * inputs),
            w = random.floats(inputs * outputs), bias = random.floats(outputs)
        for mode in [panel_bias, panel_relu, panel_add] {
            let results = [panel_int8, panel_int8_avx2, panel_int8_portable].map { type in
                var y = [Float](repeating: 0.3, count: rows * outputs)
                product(
                    x, packed(w, inputs: inputs, outputs: outputs, type), bias, into: &y, rows: rows, inputs, outputs,
                    type, mode)
                return y
            }
            let areSame = results[0] == results[1] && results[0] == results[2]
            #expect(areSame, "mode \(mode)")
        }
    }

    /// The product with the factor is rounded to a float and then to a byte, also where a processor could do it at once:
    /// numbers next to the middle of two bytes for which that would make another byte.
    @Test(arguments: [panel_int8, panel_int8_avx2, panel_int8_portable]) func bytesAreRoundedTwice(type: panel_type_t) {
        var random = SearchRandom(21), tried = 0
        for _ in 0..<40 {
            let top = abs(random.floats(1)[0]) + 0.5, factor = 127 / top
            var x = [top]
            for byte in 0..<126 {
                let middle = (Float(byte) + 0.5) / factor
                x += [middle.nextDown, middle, middle.nextUp].filter {
                    ($0 * factor).rounded(.toNearestOrEven)
                        != Float((Double($0) * Double(factor)).rounded(.toNearestOrEven))
                }
            }
            let count = x.count
            tried += count - 1
            var unit = [Float](repeating: 0, count: count * count), y = unit
            for i in 0..<count { unit[i * count + i] = 1 }
            product(
                x, packed(unit, inputs: count, outputs: count, type), nil, into: &y, rows: 1, count, count, type)
            for i in 0..<count {
                #expect((y[i] * factor).rounded() == (x[i] * factor).rounded(.toNearestOrEven), "\(x[i]) of \(top)")
            }
        }
        #expect(tried > 100)
    }

    /// Rows of zeros stay zero, and those of almost nothing; a row with something that is no number has no numbers, and
    /// spoils no other.
    @Test(arguments: [panel_int8, panel_int8_avx2, panel_int8_portable]) func bytesOfUnusualRows(type: panel_type_t) {
        let inputs = 5, w: [Float] = [1, 2, 3, 4, 5, 0, 0, 0, 0, 0]
        let x: [Float] = [
            0, 0, 0, 0, 0, 1, .nan, 1, .nan, 1, 1, 1, .infinity, 1, 1, 1, 1, 1, 1, 1, 1e-37, 1e-44, 0, 0, 1e-37,
        ]
        var y = [Float](repeating: 7, count: 10)
        product(x, packed(w, inputs: inputs, outputs: 2, type), nil, into: &y, rows: 5, inputs, 2, type)
        #expect(
            y[0] == 0 && y[1] == 0 && y[2].isNaN && !y[4].isFinite && abs(y[6] - 15) < 0.1 && y[7] == 0
                && abs(y[8]) < 1e-35 && y[9] == 0)
    }

    @Test(arguments: [1, 3, 7], [panel_float32, panel_int8])
    func bestOfAVocabulary(rows: Int, type: panel_type_t) {
        for (vocabulary, k) in [(1, 1), (5, 2), (64, 1), (65, 4), (300, 5), (3, 5)] {
            var random = SearchRandom(UInt64(vocabulary * 10 + rows))
            let inputs = 9, suppressed: [Int32] = vocabulary > 2 ? [1, 2] : []
            let given = random.floats(rows * inputs), weights = random.floats(inputs * vocabulary).map { $0 * 6 },
                bias = random.floats(vocabulary)
            let x = quantised(given, rows: rows, columns: inputs, type),
                w = quantised(weights, rows: vocabulary, columns: inputs, type)
            var space = [Float](repeating: .nan, count: 32 * rows)
            var best = [Float](repeating: .nan, count: rows * k), index = [Int32](repeating: -1, count: rows * k)
            withRows(given, rows: rows, inputs: inputs, type) {
                panel_top_k(
                    $0, packed(weights, inputs: inputs, outputs: vocabulary, type), bias, vocabulary, k, suppressed,
                    suppressed.count, &space, &best, &index)
            }
            for row in 0..<rows {
                let logits = (0..<vocabulary).map { naive(x, w, bias, row: row, output: $0, inputs: inputs) },
                    top = logits.max()!
                let normaliser = top + log(logits.reduce(0) { $0 + exp($1 - top) })
                let order = (0..<vocabulary).filter { !suppressed.contains(Int32($0)) }.sorted {
                    logits[$0] > logits[$1]
                }
                for rank in 0..<k {
                    guard rank < order.count else {
                        #expect(best[row * k + rank] == -.infinity)
                        continue
                    }
                    #expect(index[row * k + rank] == Int32(order[rank]))
                    #expect(abs(Double(best[row * k + rank]) - (logits[order[rank]] - normaliser)) < 2e-5)
                }
            }
        }
    }

    @Test func equalLogitsByLowerIndex() {
        var scratch = [Float](repeating: 0, count: 32), best = [Float](repeating: 0, count: 4),
            index = [Int32](repeating: 0, count: 4)
        var bias = [Float](repeating: -1, count: 200)
        for token in [7, 70, 71, 199, 150] { bias[token] = 2 }
        withRows([0], rows: 1, inputs: 1, panel_float32) {
            panel_top_k(
                $0, packed([Float](repeating: 1, count: 200), inputs: 1, outputs: 200), bias, 200, 4, [70], 1, &scratch,
                &best, &index)
        }
        #expect(index == [7, 71, 150, 199])
        #expect(Set(best).count == 1)
    }

    /// Logits far apart, falling and rising by thousands: the running reference never overflows.
    @Test func logSoftmaxOfExtremeLogits() {
        for sign in [Float(1), -1] {
            let bias = (0..<640).map { sign * Float($0) * 10 }
            var scratch = [Float](repeating: 0, count: 32), best = [Float](repeating: 0, count: 2),
                index = [Int32](repeating: 0, count: 2)
            withRows([0], rows: 1, inputs: 1, panel_float32) {
                panel_top_k(
                    $0, packed([Float](repeating: 1, count: 640), inputs: 1, outputs: 640), bias, 640, 2, [], 0,
                    &scratch, &best, &index)
            }
            #expect(index == (sign > 0 ? [639, 638] : [0, 1]))
            #expect(abs(best[0] + 4.54e-5) < 1e-6 && abs(best[1] + 10) < 1e-4)
        }
    }

    /// Each row against a softmax in double precision; two slots, blocks partly filled, one position appended on the
    /// way.
    @Test(arguments: [1, 4, 16, 20])
    func attentionOverACache(head: Int) {
        for length in [1, 2, 15, 16, 17, 40] {
            let heads = 3, d = heads * head, size = attention_block(heads, head), blockCount = (length + 15) / 16
            var random = SearchRandom(UInt64(head * 100 + length))
            let k = random.floats(2 * length * d), v = random.floats(2 * length * d), q = random.floats(2 * 3 * d)
            var storage = [Float](repeating: .nan, count: 2 * blockCount * size), fused = q
            var out = [Float](repeating: 0, count: 2 * d),
                scratch = [Float](repeating: .nan, count: attention_row(length))
            let places = (0..<2).flatMap { slot in (0..<blockCount).map { Int32(2 * $0 + slot) } }
            for slot in 0..<2 {
                for position in 0..<length - 1 {
                    let at = (slot * length + position) * d
                    storage.withUnsafeMutableBufferPointer {
                        attention_block_write(
                            Array(k[at..<at + d]), Array(v[at..<at + d]), d,
                            $0.baseAddress! + Int(places[slot * blockCount + position / 16]) * size,
                            position % 16, 1, heads, head)
                    }
                }
                let last = (slot * length + length - 1) * d, row = 1 - slot
                for c in 0..<d {
                    (fused[(3 * row + 1) * d + c], fused[(3 * row + 2) * d + c]) = (k[last + c], v[last + c])
                }
            }
            storage.withUnsafeMutableBufferPointer { storage in
                let blocks = [UnsafeMutablePointer<Float>?](repeating: storage.baseAddress!, count: blockCount)
                fused.withUnsafeBufferPointer {
                    let base = $0.baseAddress!
                    attention_step(
                        base, 3 * d, base + d, base + 2 * d, blocks, places, blockCount, [1, 0],
                        [Int32(length), Int32(length)],
                        &out, d, 2, heads, head, &scratch)
                }
            }
            for row in 0..<2 {
                for h in 0..<heads {
                    func at(_ position: Int, _ c: Int) -> Int { ((1 - row) * length + position) * d + h * head + c }
                    let weights = (0..<length).map { p in
                        exp(
                            (0..<head).reduce(0.0) {
                                $0 + Double(fused[3 * row * d + h * head + $1]) * Double(k[at(p, $1)])
                            } / sqrt(Double(head)))
                    }
                    for c in 0..<head {
                        let expected =
                            (0..<length).reduce(0.0) { $0 + weights[$1] * Double(v[at($1, c)]) } / weights.reduce(0, +)
                        #expect(
                            abs(Double(out[row * d + h * head + c]) - expected) < 1e-5,
                            "head \(head), length \(length), row \(row)")
                    }
                }
            }
        }
    }
}
