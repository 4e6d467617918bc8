import Kernels

/// A shallow network that stands for an attention (Bozic et al. 2024): over a sentence flattened to one vector x of N
/// numbers, beyond its end zero,
///
///     y = W2 dropout(LayerNorm(leaky(W1 LayerNorm(x) + b1))) + b2,     leaky(z) = max(z, 0.01 z).
///
/// Nothing is ever padded. With block j of W1 (H x d), gain g and shift b of the first LayerNorm, and a sentence
/// x_1..x_n,
///
///     mean = 1/N sum_j sum(x_j)      var = 1/N sum_j |x_j|^2 - mean^2      sd = sqrt(var + epsilon)
///     pre  = 1/sd (sum_j W1_j (g_j . x_j) - mean u) + v      u = W1 g      v = W1 b + b1
///
/// which is the same function: the zeros count in mean and variance, and nowhere else. A causal network sees, for the
/// output at position i, the sums up to i: they are prefix sums, so its first layer costs no more than that of a
/// network that sees the whole sentence. A network that reads the source too adds the source's sums to those of the
/// target.
///
/// `aslr` has one network for each head; they share the input and each puts out its head's columns.
package struct FlattenedReplacement {
    /// Mean and 1/sd of N numbers with this sum and sum of squares.
    static func moments(sum: Float, squares: Float, of count: Float) -> (mean: Float, rstd: Float) {
        let mean = sum / count, variance = squares / count - mean * mean
        return (mean, 1 / max(variance + epsilon, epsilon).squareRoot())
    }

    package let shape: FlattenedShape
    let networks: [FlattenedNetwork]

    package init(_ spec: Spec, _ teacher: TeacherShape, _ layout: inout ParameterLayout) {
        let shape = FlattenedShape(spec, teacher)
        self.shape = shape
        networks = (0..<shape.networks).map { index in
            shape.networks == 1
                ? FlattenedNetwork(shape, &layout)
                : layout.scope("head.\(index)") { FlattenedNetwork(shape, &$0) }
        }
    }

    static let epsilon = LayerNorm.epsilon

    /// Whether one output of d numbers serves every position of the target.
    var isCausal: Bool { shape.attention.isCausal }

    /// Input block of the target's (or, in the encoder, the sentence's) position 0: the source's blocks stand before
    /// it.
    var firstTargetBlock: Int { shape.attention.readsMemory ? shape.maxTokens : 0 }
}

/// Places of one network's parameters.
///
/// The first weight is stored [N, H], so that block j, the d rows from j d on, is contiguous: it is multiplied,
/// finished and updated as one piece.
struct FlattenedNetwork {
    /// g, b: [N]
    let inputNorm: LayerNorm
    /// [N, H]
    let first: Slot
    /// b1: [H]
    let firstBias: Slot
    /// [H]
    let hiddenNorm: LayerNorm
    /// [outputs, H], the outputs of position j from row j outputWidth on
    let second: Slot
    /// [outputs]
    let secondBias: Slot

    init(_ shape: FlattenedShape, _ layout: inout ParameterLayout) {
        inputNorm = LayerNorm("input.norm", width: shape.inputs, &layout)
        first = layout.add(
            "first.weight", [shape.inputs, shape.hidden], .xavier(fanIn: shape.inputs, fanOut: shape.hidden))
        firstBias = layout.add("first.bias", [shape.hidden], .constant(0))
        hiddenNorm = LayerNorm("hidden.norm", width: shape.hidden, &layout)
        second = layout.add(
            "second.weight", [shape.outputs, shape.hidden], .xavier(fanIn: shape.hidden, fanOut: shape.outputs))
        secondBias = layout.add("second.bias", [shape.outputs], .constant(0))
    }
}

extension FlattenedReplacement: DistillableNetwork {
    package var bounds: (source: Int?, target: Int?) {
        switch shape.attention {
        case .encoder: (shape.maxTokens, nil)
        case .decoder: (nil, shape.maxTokens)
        case .cross, .crossfull: (shape.maxTokens, shape.maxTokens)
        }
    }

    package func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext {
        let bound = BoundFlattened(self, weights, projection: networks.count == 1 ? output : nil)
        return shape.attention == .encoder ? .sentences(bound) : .steps(bound)
    }

    package func distiller(_ setting: DistillerSetting) -> any Distiller { FlattenedDistiller(self, setting) }

    package func stepFlops(tokens: Int, memoryTokens: Int) -> Double {
        let read = tokens + (shape.attention.readsMemory ? memoryTokens : 0)
        // the first layer's products: forward and its weights' gradient; the second's: also its input's
        return Double(4 * read * shape.width + 6 * tokens * shape.outputWidth) * Double(shape.hidden * shape.networks)
    }

    /// What the backward pass needs of a pass through a whole model; hidden layers of all networks one after another.
    private struct Kept: BitwiseCopyable {
        let x: Matrix
        let memory: Matrix?
        let moments: InputMoments
        let hidden: UnsafeMutablePointer<HiddenLayer>
    }

    /// Tokens beyond the longest sentence that the network knows, which no text has that it is given, get zeros.
    package func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
        pass.phase(.products)
        let training = FlattenedTraining(self, within: pass), space = pass.workspace
        let context = space.zeros(x.rows, x.columns), batch = arranged(x, sentences, memory, space),
            order = batch.input.order
        let moments = InputMoments(training, batch)
        let hidden = space.room(for: HiddenLayer.self, count: networks.count)
        for index in networks.indices { hidden[index] = training.forward(index, batch, moments, .off).hidden }
        let mark = space.mark, out = space.matrix(order.tokens, x.columns)
        for index in networks.indices {
            training.output(
                FlattenedTape(index: index, batch: batch, moments: moments, hidden: hidden[index], randomness: .off),
                into: out)
        }
        order.forEachRow { row, sentence, position in
            context.row(sentences.offsets[sentence] + position).update(from: out.row(row), count: x.columns)
        }
        space.release(to: mark)
        return ContextTape(
            x: x, context: context,
            keeping: Kept(x: batch.input.x, memory: batch.memory?.x, moments: moments, hidden: hidden), space)
    }

    package func backward(
        _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass
    ) {
        pass.phase(.products)
        let kept = tape.kept(Kept.self), space = pass.workspace, mark = space.mark
        let training = FlattenedTraining(self, within: pass)
        let input = FlattenedSide(order: order(sentences), x: kept.x)
        let source = readsMemory(memory).map { FlattenedSide(order: order($0.sentences), x: kept.memory!) }
        let batch = FlattenedBatch(input: input, memory: source), d = shape.width
        let dy = gathered(dcontext, sentences, input.order, space)
        let inputs = InputGradients(
            x: space.zeros(input.order.tokens, d),
            memory: dmemory == nil ? nil : source.map { space.zeros($0.order.tokens, d) })
        for index in networks.indices {
            let inner = space.mark
            let own = FlattenedTape(
                index: index, batch: batch, moments: kept.moments, hidden: kept.hidden[index], randomness: .off)
            _ = FlattenedBackward(training, own, GradientSum(pass.gradientBlock)).run(.given(dy), inputs: inputs)
            space.release(to: inner)
        }
        if let dx {
            dx.fill(0)
            add(inputs.x, input.order, to: dx, sentences)
        }
        if let dmemory, let source, let gradient = inputs.memory {
            add(gradient, source.order, to: dmemory, memory!.sentences)
        }
        space.release(to: mark)
    }

    private func readsMemory(_ memory: EncoderOutput?) -> EncoderOutput? { shape.attention.readsMemory ? memory : nil }

    private func order(_ sentences: Packed) -> PositionMajor {
        var order = PositionMajor()
        order.arrange(sentences.sentences, limit: shape.maxTokens, length: sentences.length)
        return order
    }

    /// Packed rows in the order by position.
    private func arranged(
        _ x: Matrix, _ sentences: Packed, _ memory: EncoderOutput?, _ space: Workspace
    ) -> FlattenedBatch {
        func side(_ x: Matrix, _ sentences: Packed) -> FlattenedSide {
            let order = order(sentences)
            return FlattenedSide(order: order, x: gathered(x, sentences, order, space))
        }
        return FlattenedBatch(input: side(x, sentences), memory: readsMemory(memory).map { side($0.x, $0.sentences) })
    }

    private func gathered(_ x: Matrix, _ sentences: Packed, _ order: PositionMajor, _ space: Workspace) -> Matrix {
        let result = space.matrix(order.tokens, x.columns)
        order.forEachRow { row, sentence, position in
            result.row(row).update(from: x.row(sentences.offsets[sentence] + position), count: x.columns)
        }
        return result
    }

    private func add(_ ordered: Matrix, _ order: PositionMajor, to packed: Matrix, _ sentences: Packed) {
        order.forEachRow { row, sentence, position in
            let from = ordered.row(row), to = packed.row(sentences.offsets[sentence] + position)
            for c in 0..<packed.columns { to[c] += from[c] }
        }
    }
}
