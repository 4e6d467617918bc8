import CKernels
import Kernels
import TestSupport
import Testing

@testable import Models

/// The padded definition, naively, in double precision: one sentence is one vector of N numbers, the unseen ones zero,
/// and the network runs once for every output. Gradients by hand, layer after layer, through plain loops.
private struct PaddedNetwork {
    let inputs: Int, hidden: Int, outputs: Int
    var parameters: [String: [Double]]
    var gradients: [String: [Double]] = [:]
    /// Of the last run's input.
    var inputGradient: [Double] = []

    func layerNorm(_ x: [Double], _ gain: [Double], _ shift: [Double]) -> (y: [Double], normed: [Double], rstd: Double)
    {
        let n = Double(x.count), mean = x.reduce(0, +) / n
        let rstd = 1 / (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n + 1e-5).squareRoot()
        let normed = x.map { ($0 - mean) * rstd }
        return (normed.indices.map { gain[$0] * normed[$0] + shift[$0] }, normed, rstd)
    }

    /// Output for a padded input; with the outputs' gradients, adds those of the parameters.
    mutating func run(_ x: [Double], gradient: ((_ y: [Double]) -> [Double])? = nil) -> [Double] {
        let p = parameters
        let first = layerNorm(x, p["input.norm.weight"]!, p["input.norm.bias"]!)
        var pre = p["first.bias"]!
        for i in 0..<inputs { for h in 0..<hidden { pre[h] += first.y[i] * p["first.weight"]![i * hidden + h] } }
        let leaky = pre.map { $0 > 0 ? $0 : 0.01 * $0 }
        let second = layerNorm(leaky, p["hidden.norm.weight"]!, p["hidden.norm.bias"]!)
        var y = p["second.bias"]!
        for o in 0..<outputs { for h in 0..<hidden { y[o] += second.y[h] * p["second.weight"]![o * hidden + h] } }
        guard let dy = gradient?(y) else { return y }
        var dh = [Double](repeating: 0, count: hidden)
        for o in 0..<outputs {
            gradients["second.bias"]![o] += dy[o]
            for h in 0..<hidden {
                gradients["second.weight"]![o * hidden + h] += dy[o] * second.y[h]
                dh[h] += dy[o] * p["second.weight"]![o * hidden + h]
            }
        }
        let dn = (0..<hidden).map { dh[$0] * p["hidden.norm.weight"]![$0] }
        let mean = dn.reduce(0, +) / Double(hidden),
            dot = (0..<hidden).reduce(0) { $0 + dn[$1] * second.normed[$1] } / Double(hidden)
        var dfirst = [Double](repeating: 0, count: inputs)
        for h in 0..<hidden {
            gradients["hidden.norm.weight"]![h] += dh[h] * second.normed[h]
            gradients["hidden.norm.bias"]![h] += dh[h]
            let delta = second.rstd * (dn[h] - mean - second.normed[h] * dot) * (pre[h] > 0 ? 1 : 0.01)
            gradients["first.bias"]![h] += delta
            for i in 0..<inputs {
                gradients["first.weight"]![i * hidden + h] += delta * first.y[i]
                let dx = delta * p["first.weight"]![i * hidden + h]
                dfirst[i] += dx * p["input.norm.weight"]![i]
                gradients["input.norm.weight"]![i] += dx * first.normed[i]
                gradients["input.norm.bias"]![i] += dx
            }
        }
        let firstMean = dfirst.reduce(0, +) / Double(inputs),
            firstDot = (0..<inputs).reduce(0) { $0 + dfirst[$1] * first.normed[$1] } / Double(inputs)
        inputGradient = (0..<inputs).map { first.rstd * (dfirst[$0] - firstMean - first.normed[$0] * firstDot) }
        return y
    }
}

@Suite struct ReplacementGradientTests {
    private let S = 5, d = 4, heads = 2

    /// Every mode at every attention that it exists for.
    static let specs = [
        "alr-h7.encoder", "alrr-h8.encoder", "elr-h16.encoder", "aslr-h5.encoder", "alr-h7.decoder", "alr-h2.decoder",
        "alr-h9.cross",
        "alr-h9.crossfull",
    ]

    private func random(_ count: Int, _ stream: UInt32) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        random_uniform(&values, count, 11, stream, 0)
        return values.map { 2 * $0 - 1 }
    }

    private struct Case {
        let replacement: FlattenedReplacement
        let layout: ParameterLayout
        let weights: FloatBlock
        let batch: FlattenedBatch
        let targets: Matrix
        let lengths: [Int]
        let sourceLengths: [Int]
        let owner: [FloatBlock]
    }

    /// Sentences of these lengths with random tokens, the same whatever the batch's order.
    private func side(_ lengths: [Int], stream: UInt32) -> (FlattenedSide, FloatBlock) {
        let order = PositionMajor(lengths: lengths, limit: S), block = FloatBlock(max(order.tokens * d, 1))
        let x = block.matrix(order.tokens, d)
        order.forEachRow { row, sentence, position in
            let token = random(d, stream + UInt32(sentence * 100 + position))
            for c in 0..<d { x[row, c] = token[c] }
        }
        return (FlattenedSide(order: order, x: x), block)
    }

    private func makeCase(_ text: String, _ lengths: [Int]) throws -> Case {
        var layout = ParameterLayout()
        let spec = try Spec(parsing: text),
            replacement = FlattenedReplacement(spec, TeacherShape(width: d, heads: heads, maxTokens: S), &layout)
        let weights = FloatBlock(layout.count)
        for (i, slot) in layout.slots.enumerated() {
            let values = random(slot.count, UInt32(50_000 + i)), isGain = slot.name.hasSuffix("norm.weight")
            for (j, value) in values.enumerated() {
                weights.base[slot.offset + j] = isGain ? 1 + 0.3 * value : 0.6 * value
            }
        }
        let (input, x) = side(lengths, stream: 1_000)
        let sourceLengths = lengths.indices.map { (lengths[$0] * 3 + $0) % S + 1 }
        let (memory, m) = side(sourceLengths, stream: 10_000)
        let (targets, t) = side(lengths, stream: 20_000)
        return Case(
            replacement: replacement, layout: layout, weights: weights,
            batch: FlattenedBatch(input: input, memory: spec.attention.readsMemory ? memory : nil), targets: targets.x,
            lengths: lengths, sourceLengths: sourceLengths, owner: [x, m, t])
    }

    private struct Padded {
        var squares = 0.0
        var gradients: [String: [Double]] = [:]
        /// Of each token, in the batch's order.
        var outputs: [[Double]] = []
        /// Of the inputs, in the batch's order.
        var input: [[Double]] = []
        var memory: [[Double]] = []
    }

    /// Loss and gradients by the padded definition, and the outputs of each token in the batch's order.
    ///
    /// - Parameter given: the gradient of the outputs, in the batch's order; from the squared error if nil. `crossfull`
    ///   then sees prefixes, as it does within a model
    private func padded(_ test: Case, given: Matrix? = nil) -> Padded {
        let shape = test.replacement.shape, order = test.batch.input.order
        let none = [Double](repeating: 0, count: d)
        var result = Padded(
            outputs: Array(repeating: none, count: order.tokens), input: Array(repeating: none, count: order.tokens),
            memory: Array(repeating: none, count: test.batch.memory?.order.tokens ?? 0))
        for network in 0..<shape.networks {
            let prefix = shape.networks == 1 ? "" : "head.\(network)."
            var padded = PaddedNetwork(
                inputs: shape.inputs, hidden: shape.hidden, outputs: shape.outputs, parameters: [:])
            for slot in test.layout.slots where slot.name.hasPrefix(prefix) {
                let name = String(slot.name.dropFirst(prefix.count))
                padded.parameters[name] = (0..<slot.count).map { Double(test.weights.base[slot.offset + $0]) }
                padded.gradients[name] = [Double](repeating: 0, count: slot.count)
            }
            for (place, sentence) in order.order.enumerated() {
                let n = test.lengths[sentence], isCausal = shape.attention.isCausal
                let seesPrefixes = isCausal || (given != nil && shape.attention == .crossfull)
                for visible in seesPrefixes ? Array(1..<n + 1) : [n] where n > 0 {
                    var x = [Double](repeating: 0, count: shape.inputs)
                    let first = shape.attention.readsMemory ? S * d : 0
                    if let memory = test.batch.memory {
                        memory.order.forEachRow { row, s, position in
                            if s == sentence { for c in 0..<d { x[position * d + c] = Double(memory.x[row, c]) } }
                        }
                    }
                    for j in 0..<visible {
                        for c in 0..<d {
                            x[first + j * d + c] = Double(test.batch.input.x[order.starts[j] + place, c])
                        }
                    }
                    let w = shape.outputWidth
                    // the tokens whose outputs this run gives, with the first of their numbers in y
                    let last = (order.starts[visible - 1] + place, isCausal ? 0 : (visible - 1) * w)
                    let tokens = seesPrefixes ? [last] : (0..<n).map { (order.starts[$0] + place, $0 * w) }
                    _ = padded.run(x) { y in
                        var dy = [Double](repeating: 0, count: y.count)
                        for (token, at) in tokens {
                            for c in 0..<w {
                                let e = y[at + c] - Double(test.targets[token, network * w + c])
                                result.outputs[token][network * w + c] = y[at + c]
                                result.squares += e * e
                                dy[at + c] =
                                    given.map { Double($0[token, network * w + c]) } ?? 2 * e / Double(order.tokens * d)
                            }
                        }
                        return dy
                    }
                    for j in 0..<visible {
                        for c in 0..<d {
                            result.input[order.starts[j] + place][c] += padded.inputGradient[first + j * d + c]
                        }
                    }
                    test.batch.memory?.order.forEachRow { row, s, position in
                        if s == sentence {
                            for c in 0..<d { result.memory[row][c] += padded.inputGradient[position * d + c] }
                        }
                    }
                }
            }
            for (name, values) in padded.gradients { result.gradients[prefix + name] = values }
        }
        return result
    }

    /// Within a model: packed rows, the gradient of the outputs given, those of all inputs asked for.
    @Test(
        arguments: specs, [[3, 1, 5, 2, 5], [1], [5], [2, 2, 2], [2, 0, 5, 0], [1, 1, 4, 3, 5, 2, 1, 3, 4, 2, 5]])
    func withinAModelInputsHaveGradients(_ text: String, _ lengths: [Int]) throws {
        let test = try makeCase(text, lengths), expected = padded(test, given: test.targets), space = Workspace()
        let gradient = FloatBlock(test.layout.count),
            pass = Pass(weights: test.weights, gradients: gradient, workspace: space)
        let order = test.batch.input.order, sentences = Packed(lengths)
        let (x, dcontext) = (
            unordered(test.batch.input.x, order, sentences, space), unordered(test.targets, order, sentences, space)
        )
        let memory = test.batch.memory.map { side in
            let sources = Packed(test.sourceLengths)
            return EncoderOutput(x: unordered(side.x, side.order, sources, space), sentences: sources)
        }
        let tape = test.replacement.forward(x, sentences, memory: memory, pass), dx = space.matrix(x.rows, d)
        let dmemory = memory.map { space.zeros($0.x.rows, d) }
        if let dmemory { dmemory.fill(0.25) }
        test.replacement.backward(tape, sentences, memory: memory, dcontext: dcontext, dx: dx, dmemory: dmemory, pass)
        // where gradients nearly cancel, what is left of them is rounding of those that they are made from
        let whole = expected.gradients.values.joined().map(abs).max()!
        expectClose(tape.context, order, sentences, expected.outputs, "\(text) \(lengths): outputs")
        expectClose(dx, order, sentences, expected.input, "\(text) \(lengths): gradient of x", atLeast: whole / 20)
        if let dmemory, let side = test.batch.memory {
            expectClose(
                dmemory, side.order, memory!.sentences, expected.memory.map { $0.map { $0 + 0.25 } },
                "\(text) \(lengths): gradient of memory", atLeast: whole / 20)
        }
        for slot in test.layout.slots {
            let values = expected.gradients[slot.name]!, largest = max(values.map(abs).max()!, whole / 20)
            let worst = values.indices.map { abs(Double(gradient.base[slot.offset + $0]) - values[$0]) }.worst
            #expect(
                worst < 1e-5 * largest, "\(text) \(lengths) \(slot.name): largest difference \(worst) of \(largest)")
        }
    }

    private func unordered(_ x: Matrix, _ order: PositionMajor, _ sentences: Packed, _ space: Workspace) -> Matrix {
        let result = space.matrix(x.rows, d)
        order.forEachRow { row, sentence, position in
            result.row(sentences.offsets[sentence] + position).update(from: x.row(row), count: d)
        }
        return result
    }

    private func expectClose(
        _ found: Matrix, _ order: PositionMajor, _ sentences: Packed, _ expected: [[Double]], _ what: String,
        atLeast floor: Double = 1e-3
    ) {
        let largest = max(floor, expected.joined().map(abs).max()!)
        var worst = 0.0
        order.forEachRow { row, sentence, position in
            for c in 0..<d {
                worst = [worst, abs(Double(found[sentences.offsets[sentence] + position, c]) - expected[row][c])].worst
            }
        }
        #expect(worst < 1e-5 * largest, "\(what): largest difference \(worst) of \(largest)")
    }

    @Test(
        arguments: specs, [[3, 1, 5, 2, 5], [1], [5], [2, 2, 2], [2, 0, 5, 0], [1, 1, 4, 3, 5, 2, 1, 3, 4, 2, 5]])
    func equalsThePaddedDefinition(_ text: String, _ lengths: [Int]) throws {
        let test = try makeCase(text, lengths), expected = padded(test)
        for threads in [1, 3] {
            let training = FlattenedTraining(
                test.replacement, weights: test.weights, pool: WorkerPool(threads: threads))
            let out = training.predict(test.batch)
            for (token, values) in expected.outputs.enumerated() {
                for c in 0..<d {
                    #expect(
                        abs(Double(out[token, c]) - values[c]) < 1e-5 * max(1, abs(values[c])),
                        "\(text) token \(token) column \(c)")
                }
            }
            let gradient = FloatBlock(test.layout.count)
            let squares = training.step(test.batch, targets: test.targets, randomness: .off, GradientSum(gradient))
            #expect(abs(squares - expected.squares) < 1e-5 * expected.squares, "\(text) \(lengths)")
            // where a tensor's gradient nearly cancels, as behind a LayerNorm over one or two numbers, what is left of
            // it is rounding of the gradients that it is made from
            let whole = expected.gradients.values.joined().map(abs).max()!
            for slot in test.layout.slots {
                let values = expected.gradients[slot.name]!, largest = max(values.map(abs).max()!, whole / 20)
                let worst = values.indices.map { abs(Double(gradient.base[slot.offset + $0]) - values[$0]) }.worst
                #expect(
                    worst < 1e-5 * largest, "\(text) \(lengths) \(slot.name): largest difference \(worst) of \(largest)"
                )
            }
        }
    }

    /// An update is Adam on that very gradient, and has the same bits on any number of threads; so has dropout.
    @Test(arguments: specs + ["alr-h40.encoder", "alr-h40.decoder", "aslr-h33.encoder", "alr-h150.cross"])
    func threadsDoNotChangeABit(_ text: String) throws {
        var results: [[UInt32]] = []
        for threads in [1, 2, 5, 16] {
            let test = try makeCase(text, (0..<40).map { 1 + $0 * 7 % 5 })
            let training = FlattenedTraining(
                test.replacement, weights: test.weights, pool: WorkerPool(threads: threads))
            training.dropout = 0.2
            var steps = AdamSteps(test.weights)
            for step in 1...3 {
                steps.constants = adam_t(
                    rate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-9, correction1: 1, correction2: 1, decay: 0)
                _ = training.step(
                    test.batch, targets: test.targets, randomness: Randomness(seed: 1, step: step), steps)
            }
            results.append(test.weights.buffer.map(\.bitPattern))
        }
        #expect(results.dropFirst().allSatisfy { $0 == results[0] })
    }

    /// Dropout forward and backward agree: differences of the loss along the gradient of the first layer's bias.
    @Test func dropoutIsTheSameInBothPasses() throws {
        let test = try makeCase("alr-h32.decoder", [3, 1, 5, 2, 5, 4])
        let training = FlattenedTraining(test.replacement, weights: test.weights, pool: WorkerPool(threads: 1))
        training.dropout = 0.3
        let random = Randomness(seed: 4, step: 2), gradient = FloatBlock(test.layout.count),
            unused = FloatBlock(test.layout.count)
        let scale = 1 / Double(test.targets.count)
        _ = training.step(test.batch, targets: test.targets, randomness: random, GradientSum(gradient))
        for slot in test.layout.slots where ["first.bias", "hidden.norm.weight", "second.weight"].contains(slot.name) {
            for i in stride(from: 0, to: slot.count, by: 5) {
                let at = slot.offset + i, kept = test.weights.base[at], h: Float = 1e-2
                func loss(_ value: Float) -> Double {
                    test.weights.base[at] = value
                    return training.step(test.batch, targets: test.targets, randomness: random, GradientSum(unused))
                        * scale
                }
                let slope = (loss(kept + h) - loss(kept - h)) / Double(2 * h)
                test.weights.base[at] = kept
                #expect(
                    abs(slope - Double(gradient.base[at])) < 2e-3,
                    "\(slot.name)[\(i)]: \(slope) and \(gradient.base[at])")
            }
        }
    }

    /// Parameters of one layer at S = 50, d = 128, 8 heads (Bozic et al. 2024, as their code builds them).
    @Test(
        arguments: zip(
            ["alr-xs.encoder", "alr-m.encoder", "alr-l.encoder", "alr-s.decoder", "alr-m.crossfull", "aslr-m.encoder"],
            [339_275, 10_261_600, 40_988_800, 339_478, 30_756_800, 46_208_000]))
    func layoutHoldsThePapersParameters(_ text: String, _ expected: Int) throws {
        var layout = ParameterLayout()
        let replacement = FlattenedReplacement(
            try Spec(parsing: text), TeacherShape(width: 128, heads: 8, maxTokens: 50), &layout)
        #expect(layout.parameters == expected)
        #expect(replacement.shape.parameters == expected)
    }
}
