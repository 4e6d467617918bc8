import CKernels
import Kernels
import TestSupport
import Testing

@testable import Models

/// Replacements in translation give what the whole computation gives, and a row or a sentence at a time the same bits.
struct ReplacementTranslationTests {
    private let S = 7, d = 8, heads = 2

    private func random(_ count: Int, _ stream: UInt32) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        random_uniform(&values, count, 5, stream, 0)
        return values.map { 2 * $0 - 1 }
    }

    private func makeNetwork(_ text: String) throws -> (FlattenedReplacement, FloatBlock) {
        var layout = ParameterLayout()
        let replacement = FlattenedReplacement(
            try Spec(parsing: text), TeacherShape(width: d, heads: heads, maxTokens: S), &layout)
        let weights = FloatBlock(layout.count)
        for (index, slot) in layout.slots.enumerated() {
            let isGain = slot.name.hasSuffix("norm.weight")
            for (i, value) in random(slot.count, UInt32(index)).enumerated() {
                weights.base[slot.offset + i] = isGain ? 1 + 0.3 * value : 0.6 * value
            }
        }
        return (replacement, weights)
    }

    private func block(_ values: [Float], columns: Int) -> (Matrix, FloatBlock) {
        let block = FloatBlock(values.count)
        for (i, value) in values.enumerated() { block.base[i] = value }
        return (block.matrix(values.count / max(columns, 1), columns), block)
    }

    /// Packed rows in position-major order, of each sentence the first `seen` tokens.
    private func side(_ x: Matrix, _ sentences: Packed, seen: Int? = nil) -> (FlattenedSide, FloatBlock) {
        let lengths = (0..<sentences.sentences).map { min(sentences.length($0), seen ?? .max) }
        let order = PositionMajor(lengths: lengths, limit: S), block = FloatBlock(order.tokens * d),
            y = block.matrix(order.tokens, d)
        order.forEachRow { row, sentence, position in
            y.row(row).update(from: x.row(sentences.offsets[sentence] + position), count: d)
        }
        return (FlattenedSide(order: order, x: y), block)
    }

    private func row(_ matrix: Matrix, _ index: Int) -> [Float] { (0..<matrix.columns).map { matrix[index, $0] } }

    private func expectClose(_ a: [Float], _ b: [Float], _ comment: String) {
        let worst = zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.worst
        #expect(worst < 2e-5, "\(comment): largest difference \(worst)")
    }

    /// The paper's networks know so many positions, those over the tokens any number.
    @Test func modelsAreBoundedAsTheirNetworks() throws {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.width, shape.heads, shape.hidden, shape.encoderLayers, shape.decoderLayers) = (16, 2, 32, 1, 1)
        var bounded: (source: Set<String>, target: Set<String>) = ([], [])
        for family in Families.all {
            for attention in family.attentions {
                let name = "\(family.name).\(attention.rawValue)",
                    spec = try Spec(parsing: "\(family.name)-\(family.namedSizes[0]).\(attention.rawValue).0")
                let whole = Transformer(shape, try Replacements([spec], in: shape)),
                    model = TranslationModel(whole, weights: whole.layout.initialized(seed: 1))
                for (most, isSource) in [(model.maximumSource, true), (model.maximumTarget, false)] {
                    #expect([shape.maxTokens, TransformerConfiguration.mostTokens].contains(most), "\(spec)")
                    guard most == shape.maxTokens else { continue }
                    if isSource { bounded.source.insert(name) } else { bounded.target.insert(name) }
                }
            }
        }
        let across: Set = ["alr.cross", "alr.crossfull"]
        #expect(bounded.source == across.union(["alr.encoder", "alrr.encoder", "aslr.encoder", "elr.encoder"]))
        #expect(bounded.target == across.union(["alr.decoder"]))
    }

    @Test(arguments: ["alr-h9.encoder.0", "alrr-h70.encoder.0", "aslr-h5.encoder.0", "elr-h1.encoder.0"])
    func sentencesOfTheEncoder(_ text: String) throws {
        let (replacement, weights) = try makeNetwork(text)
        let map = BoundFlattened(replacement, BoundWeights(block: weights, precision: .float32))
        let lengths = [3, 7, 1, 0, 5, 7, 2, 1], sentences = Packed(lengths), space = Workspace()
        let (x, owner) = block(random(sentences.tokens * d, 900), columns: d)
        let y = space.matrix(x.rows, d)
        map(x, sentences, into: y, space)

        let (whole, sideOwner) = side(x, sentences)
        let training = FlattenedTraining(replacement, weights: weights, pool: WorkerPool(threads: 1))
        let out = training.predict(FlattenedBatch(input: whole))
        whole.order.forEachRow { index, sentence, position in
            expectClose(
                row(y, sentences.offsets[sentence] + position), row(out, index),
                "\(text) sentence \(sentence) position \(position)")
        }
        for s in lengths.indices {
            let alone = space.matrix(lengths[s], d)
            map(x.rows(sentences.range(s)), Packed([lengths[s]]), into: alone, space)
            for i in 0..<lengths[s] {
                #expect(row(alone, i) == row(y, sentences.offsets[s] + i), "\(text) sentence \(s) alone")
            }
        }
        withExtendedLifetime((owner, sideOwner, training)) {}
    }

    /// What precisions mean for a model with networks.
    @Test func precisions() {
        #expect(TranslationPrecision.allCases.map(\.transformer) == [.float32, .float32, .int8])
        #expect(TranslationPrecision.allCases.map(\.networks) == [.float32, .int8, .int8])
    }

    /// One hidden unit speaks loudly and is hardly listened to.
    private func addLoudUnit(_ replacement: FlattenedReplacement, _ weights: FloatBlock) {
        for network in replacement.networks {
            weights[network.firstBias].base[0] = 40
            weights[network.hiddenNorm.gain].base[0] = 0.01
        }
    }

    /// Bytes are near: each row and each output's weights are rounded to 255 steps, the rows of the hidden layer after
    /// its gain, which makes a loud unit small. And a sentence's result is its own, to the bit.
    @Test(arguments: [("alr-h70.encoder.0", false), ("alr-h70.encoder.0", true), ("aslr-h33.encoder.0", false)])
    func bytesAreNear(_ text: String, isProjected: Bool) throws {
        let (replacement, weights) = try makeNetwork(text)
        addLoudUnit(replacement, weights)
        var layout = ParameterLayout()
        let output = Linear("output", in: d, out: d, &layout), outputWeights = layout.initialized(seed: 3)
        let projection = isProjected ? OutputProjection(output, outputWeights) : nil
        let lengths = [3, 7, 1, 5, 7], sentences = Packed(lengths), space = Workspace()
        let (x, owner) = block(random(sentences.tokens * d, 903), columns: d)
        let exact = space.zeros(x.rows, d), near = space.zeros(x.rows, d), alone = space.zeros(3, d)
        BoundFlattened(replacement, BoundWeights(block: weights, precision: .float32), projection: projection)(
            x, sentences, into: exact, space)
        let bytes = BoundFlattened(replacement, BoundWeights(block: weights, precision: .int8), projection: projection)
        bytes(x, sentences, into: near, space)
        bytes(x.rows(0..<3), Packed([3]), into: alone, space)
        #expect((0..<3).allSatisfy { row(alone, $0) == row(near, $0) })
        var error = 0.0, size = 0.0
        for i in 0..<x.rows {
            for (a, b) in zip(row(near, i), row(exact, i)) {
                error += Double((a - b) * (a - b))
                size += Double(b * b)
            }
        }
        let relative = (error / size).squareRoot()
        #expect(relative > 1e-4 && relative < 0.02, "relative error \(relative)")
        withExtendedLifetime(owner) {}
    }

    /// Two hypotheses a sentence, whose tokens are rows of x; at position 3 the first copies the second and goes on.
    @Test(arguments: ["alr-h9.decoder.0", "alr-h70.cross.0", "alr-h6.crossfull.0"])
    func stepsOfTheDecoder(_ text: String) throws {
        let (replacement, weights) = try makeNetwork(text)
        let sources = Packed([4, 7, 1]), space = Workspace(), stepSpace = Workspace()
        let (memory, memoryOwner) = block(random(sources.tokens * d, 901), columns: d)
        let targets = Packed([Int](repeating: S, count: 6))
        let (x, owner) = block(random(targets.tokens * d, 902), columns: d)
        let state = BoundFlattened(replacement, BoundWeights(block: weights, precision: .float32)).makeState()
        state.begin(memory, sources, slots: 6, space)

        var rows = StepRows(), contexts: [[[Float]]] = []
        for position in 0..<S {
            if position == 3 {
                for sentence in 0..<3 {
                    state.copy(from: 2 * sentence + 1, to: 2 * sentence, positions: 3)
                    for i in 0..<3 {
                        x.row(2 * sentence * S + i).update(from: x.row((2 * sentence + 1) * S + i), count: d)
                    }
                }
            }
            rows.removeAll()
            // the order of the rows has nothing to do with the slots; sentence 2 leaves after position 4
            for slot in [3, 0, 5, 1, 4, 2] where position <= 4 || slot < 4 {
                rows.append(slot: slot, sentence: slot / 2, sourceLength: sources.length(slot / 2))
            }
            rows.setPosition(position)
            let input = stepSpace.matrix(rows.count, d), context = stepSpace.matrix(rows.count, d)
            for (i, slot) in rows.slots.enumerated() {
                input.row(i).update(from: x.row(Int(slot) * S + position), count: d)
            }
            state.append(input, rows, into: context, stepSpace)
            contexts.append(
                (0..<6).map { slot in rows.slots.firstIndex(of: Int32(slot)).map { row(context, $0) } ?? [] })
        }

        let training = FlattenedTraining(replacement, weights: weights, pool: WorkerPool(threads: 1))
        var compared = 0
        for position in 0..<S {
            let (input, inputOwner) = side(x, targets, seen: position + 1)
            let (twice, twiceOwner) = repeated(memory, sources)
            let (source, sourceOwner) = side(twice, Packed([4, 4, 7, 7, 1, 1]))
            let batch = FlattenedBatch(input: input, memory: replacement.shape.attention.readsMemory ? source : nil)
            let out = training.predict(batch)
            for (index, slot) in zip(input.order.rows(position), input.order.order) {
                guard position >= 3 || slot % 2 == 1, !contexts[position][slot].isEmpty else { continue }
                compared += 1
                expectClose(contexts[position][slot], row(out, index), "\(text) position \(position) slot \(slot)")
            }
            withExtendedLifetime((inputOwner, twiceOwner, sourceOwner)) {}
        }
        #expect(compared >= 2 * S)
        withExtendedLifetime((owner, memoryOwner, training)) {}
    }

    /// Each sentence's rows twice.
    private func repeated(_ memory: Matrix, _ sources: Packed) -> (Matrix, FloatBlock) {
        let twice = FloatBlock(2 * memory.count), result = twice.matrix(2 * memory.rows, d)
        let order = (0..<sources.sentences).flatMap { Array(sources.range($0)) + Array(sources.range($0)) }
        for (row, from) in order.enumerated() { result.row(row).update(from: memory.row(from), count: d) }
        return (result, twice)
    }
}

extension StepRows {
    fileprivate mutating func append(slot: Int, sentence: Int, sourceLength: Int) {
        tokens.append(3)
        slots.append(Int32(slot))
        sentences.append(Int32(sentence))
        sourceLengths.append(Int32(sourceLength))
    }
}
