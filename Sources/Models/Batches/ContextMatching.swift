import CKernels
import Kernels

/// What keeps the contexts of a model near to those of its teacher, at the places where a network of the model spans
/// the heads. To the summed loss of a batch is added
///
///     weight / P sum_p sum_i |c_pi - t_pi|^2 / (d v_p)
///
/// over the P places and the tokens i that ask there, c and t being the model's and the teacher's contexts, and v_p the
/// mean square of a number of t at the place. The teacher reads each batch anew, since its contexts of a corpus are
/// gigabytes.
package final class ContextMatching {
    private let teacher: Transformer
    private let weights: FloatBlock
    private let packed = WeightPanels()
    private let depth: PassDepth
    /// By streams of places: weight / (P d v_p).
    private var scales: [Int: Double] = [:]

    /// Whether the two have their places in common.
    package static func isPossible(_ teacher: Transformer, _ model: Transformer) -> Bool {
        let (a, b) = (teacher.configuration, model.configuration)
        return a.width == b.width && a.encoderLayers == b.encoderLayers && a.decoderLayers == b.decoderLayers
            && !commonPlaces(teacher, model).isEmpty
    }

    /// - Parameter sample: sentences that v_p is taken from
    package init(
        _ teacher: Transformer, weights: FloatBlock, _ model: Transformer, weight: Float, sample: PairBatch,
        pool: WorkerPool
    ) {
        require(Self.isPossible(teacher, model), "a teacher of another shape")
        self.teacher = teacher
        self.weights = weights
        depth = PassDepth(
            of: teacher.configuration,
            to: model.replacements.specs.map {
                CapturePoint(span: .heads, attention: $0.attention, layer: $0.layer!)
            })
        let places = Self.commonPlaces(teacher, model), space = Workspace(), width = teacher.configuration.width
        defer { withExtendedLifetime(space) {} }
        for (stream, context) in read(sample, TransformerTrace(), space, timer: nil) where places.contains(stream) {
            let numbers = UnsafeBufferPointer(start: context.base, count: context.count)
            let mean = max(numbers.reduce(0) { $0 + Double($1) * Double($1) } / Double(numbers.count), 1e-12)
            scales[stream] = Double(weight) / (Double(places.count * width) * mean)
        }
        packed.complete()
        packed.pack(weights, pool)
    }

    private static func commonPlaces(_ teacher: Transformer, _ model: Transformer) -> Set<Int> {
        let framed = teacher.sublayers.compactMap { $0.frame?.stream }
        return Set(model.sublayers.compactMap { $0.spec == nil ? nil : $0.frame?.stream }).intersection(framed)
    }

    /// The teacher's contexts, in the workspace, by streams of places.
    private func read(
        _ batch: PairBatch, _ trace: TransformerTrace, _ space: Workspace, timer: PhaseTimer?
    ) -> [(stream: Int, context: Matrix)] {
        let pass = Pass(
            weights: weights, gradients: nil, workspace: space, randomness: .off, trainsTransformer: false,
            timer: timer, packed: packed, tile: nil)
        _ = teacher.forward(batch, to: depth, trace: trace, pass)
        return zip(teacher.sublayers, trace.attentions).compactMap { sublayer, tape in
            sublayer.frame.map { ($0.stream, tape.context.context) }
        }
    }

    /// What the contexts of these sentences are to come near.
    ///
    /// - Parameter gradientScale: what the summed loss is multiplied by before it is differentiated
    func contexts(
        of batch: PairBatch, gradientScale: Float, _ trace: TransformerTrace, _ space: Workspace, timer: PhaseTimer?
    ) -> MatchedContexts {
        let contexts = read(batch, trace, space, timer: timer).map { ($0.stream, $0.context) }
        return MatchedContexts(
            targets: Dictionary(uniqueKeysWithValues: contexts), scales: scales, gradientScale: gradientScale)
    }
}

/// A teacher's contexts of the sentences of one pass, and the loss of those that the model has in their places.
final class MatchedContexts {
    private let targets: [Int: Matrix]
    private let scales: [Int: Double]
    private let gradientScale: Float
    /// Summed over tokens and places that `add` was called for.
    private(set) var loss = 0.0

    fileprivate init(targets: [Int: Matrix], scales: [Int: Double], gradientScale: Float) {
        self.targets = targets
        self.scales = scales
        self.gradientScale = gradientScale
    }

    /// Adds to the gradient of the context of a place, if it is one of those.
    func add(_ stream: Int, _ context: Matrix, to dcontext: Matrix) {
        guard let target = targets[stream], let scale = scales[stream] else { return }
        require(context.isContiguous && target.isContiguous && dcontext.isContiguous, "contexts with gaps")
        loss += match_rows(
            context.base, target.base, dcontext.base, context.rows, context.columns, scale,
            Float(2 * scale) * gradientScale)
    }
}

extension TransformerTrace {
    /// In the order of `Transformer.sublayers`.
    fileprivate var attentions: [AttentionSublayer.Tape] {
        encoder.map(\.attention) + decoder.flatMap { [$0.selfAttention, $0.crossAttention] }
    }
}
