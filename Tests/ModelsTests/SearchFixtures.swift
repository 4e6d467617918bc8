import Foundation
import Kernels
import Models
import Tensors

/// A small random model whose translations vary: every weight and bias is random, embeddings and output layer are
/// large.
final class SearchFixture {
    let model: Transformer
    let weights: FloatBlock
    private let workspace = Workspace()
    private let trace = TransformerTrace()

    /// - Parameter networks: such as `mix-k4r8`, which take all attentions' places; nil: none
    init(
        seed: UInt64, width: Int = 16, heads: Int = 2, vocabulary: Int = 19, layers: Int = 2, networks: String? = nil
    ) {
        var configuration = TransformerConfiguration(sourceVocabulary: vocabulary, targetVocabulary: vocabulary + 4)
        (configuration.width, configuration.heads, configuration.hidden) = (width, heads, 24)
        (configuration.encoderLayers, configuration.decoderLayers) = (layers, layers)
        let specs = networks.map { name in
            ["encoder", "decoder", "cross"].flatMap { attention in
                (0..<layers).map { try! Spec(parsing: "\(name).\(attention).\($0)") }
            }
        }
        model = Transformer(configuration, try! Replacements(specs ?? [], in: configuration))
        weights = model.layout.initialized(seed: seed)
        var random = SearchRandom(seed)
        for slot in model.layout.slots {
            let isNorm = slot.name.contains("norm"),
                factor: Float = slot.name.contains("embedding") || slot.name == "output.weight" ? 3 : 1
            for i in slot.range {
                if slot.shape.count > 1 {
                    weights.base[i] *= factor
                } else {
                    weights.base[i] += Float(random.uniform()) * (isNorm ? 0.3 : 0.5)
                }
            }
        }
        output[0, Int(SpecialToken.end)] += 3
    }

    /// The biases of the output layer.
    var output: Matrix { weights[model.layout.slots.first { $0.name == "output.bias" }!] }

    func translator(
        _ configuration: SearchConfiguration, _ precision: TranslationPrecision = .float32, batchTokens: Int? = 200,
        threads: Int = 1
    ) -> Translator {
        Translator(
            TranslationModel(model, weights: weights, precision: precision), configuration, batchTokens: batchTokens,
            pool: WorkerPool(threads: threads))
    }

    /// Sentences of ordinary tokens of the given lengths.
    func sentences(_ lengths: [Int], seed: UInt64) -> [[Int32]] {
        var random = SearchRandom(seed &* 77 &+ 5)
        return lengths.map { length in
            (0..<length).map { _ in Int32(3 + random.below(model.configuration.sourceVocabulary - 3)) }
        }
    }

    /// log P of each next token, from a full forward pass over the prefix.
    func logProbabilities(source: [Int32], prefix: [Int32]) -> [Double] {
        workspace.reset()
        let logits = model.logits(
            PairBatch([(source, prefix)]), trace: trace, Pass(weights: weights, workspace: workspace))
        return withExtendedLifetime(workspace) {
            let last = (0..<logits.columns).map { Double(logits[logits.rows - 1, $0]) }, top = last.max()!
            let normaliser = top + log(last.reduce(0) { $0 + exp($1 - top) })
            return last.map { $0 - normaliser }
        }
    }

    /// Beam search as its definition reads, with every prefix computed anew.
    func naiveSearch(_ source: [Int32], _ c: SearchConfiguration) -> Hypothesis {
        typealias Prefix = (ids: [Int32], logProbability: Double)
        let limit = c.forcedLength ?? Int(c.maxLengthRatio * Double(source.count)) + c.maxLengthOffset
        var beam: [Prefix] = [([], 0)], width = c.beam, length = 0
        var best: (hypothesis: Prefix, score: Double, isComplete: Bool)?
        func normalised(_ logProbability: Double, _ length: Int) -> Double {
            logProbability / pow(Double(length), c.lengthPenalty)
        }
        while !beam.isEmpty {
            length += 1
            var continuations: [Prefix] = []
            for prefix in beam {
                for (token, logProbability) in logProbabilities(source: source, prefix: prefix.ids).enumerated() {
                    if token == SpecialToken.start || (token == SpecialToken.unknown && !c.allowsUnknown)
                        || (token == SpecialToken.end && c.forcedLength != nil)
                    {
                        continue
                    }
                    continuations.append((prefix.ids + [Int32(token)], prefix.logProbability + logProbability))
                }
            }
            beam = []
            for continuation in continuations.sorted(by: { $0.logProbability > $1.logProbability }).prefix(width) {
                let ends = continuation.ids.last == SpecialToken.end
                guard ends || length == limit else {
                    beam.append(continuation)
                    continue
                }
                width -= 1
                let score = normalised(continuation.logProbability, length)
                if score > best?.score ?? -.infinity { best = (continuation, score, ends) }
            }
            if let best, let first = beam.first, best.score >= normalised(first.logProbability, limit) { beam = [] }
        }
        var result = Hypothesis()
        result.ids = best!.hypothesis.ids.filter { $0 != SpecialToken.end }
        (result.score, result.logProbability) = (Float(best!.score), Float(best!.hypothesis.logProbability))
        result.isComplete = best!.isComplete
        return result
    }
}

/// Numbers for tests of the search.
struct SearchRandom {
    private var random: SplitMix64

    init(_ seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
    /// In -1...1.
    mutating func uniform() -> Double { 2 * Double(random.next() >> 11) * 0x1p-53 - 1 }
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(uniform()) } }
}
