import Corpus
import Kernels
import Models

extension Session {
    private typealias Named = (name: String, model: TranslationModel)

    /// Sentences of the test set, joined where they are shorter than their translations, whose length is fixed, as what
    /// untrained weights would say has no end.
    /// Models whose Transformer is of one precision are measured in turn, since their ratios are what counts. Beyond
    /// the longest sentence that the flattened ones of these tokens know, those without a bound go on.
    func translation() throws {
        let model = Transformer(configuration), weights = model.layout.initialized(seed: 1)
        for transformer in Precision.allCases {
            let teacher = Self.name("teacher", transformer == .float32 ? .float32 : .int8)
            var small: [Named] = [],
                large: [Named] = [
                    (
                        teacher,
                        TranslationModel(model, weights: weights, precision: transformer == .float32 ? .float32 : .int8)
                    )
                ],
                unbounded = large
            for precision in TranslationPrecision.allCases where precision.transformer == transformer {
                small += try ["alr-xs", "alr-s"].map {
                    try spliced($0, [.encoder, .decoder], model, weights, precision)
                }
                large.append(try spliced("alr-m", [.encoder, .decoder], model, weights, precision))
                unbounded += try ["mix-l", "mix-m", "slots-l"].map {
                    try spliced($0, [.encoder, .decoder, .cross], model, weights, precision)
                }
            }
            let known = [14, 28, 42].filter { $0 <= configuration.maxTokens }
            measure(large + small + unbounded.dropFirst(), beams: [1, 4], lengths: Array(known.prefix(1)))
            measure(large, beams: [1], lengths: Array(known.dropFirst()))
            measure(unbounded, beams: [1, 4], lengths: [100])
            measure(unbounded, beams: [1], lengths: [10, 500])
        }
    }

    private static func name(_ model: String, _ precision: TranslationPrecision) -> String {
        precision == .float32 ? model : "\(model), \(precision)"
    }

    /// The model with a network at these attentions of all layers.
    private func spliced(
        _ network: String, _ attentions: [Attention], _ teacher: Transformer, _ weights: FloatBlock,
        _ precision: TranslationPrecision
    ) throws -> Named {
        let specs = attentions.map { "\(network).\($0)" }
        let replacements = try Replacements(
            specs.map(Spec.init(parsing:)).flatMap { try $0.layers(of: $0.attention.depth(configuration)) },
            in: configuration)
        let model = Transformer(configuration, replacements), own = model.layout.initialized(seed: 1)
        let names = Dictionary(uniqueKeysWithValues: teacher.layout.slots.map { ($0.name, $0) })
        for slot in model.layout.slots {
            guard let from = names[slot.name] else { continue }
            (own.base + slot.offset).update(from: weights.base + from.offset, count: slot.count)
        }
        return (
            Self.name(specs.joined(separator: "+"), precision),
            TranslationModel(model, weights: own, precision: precision)
        )
    }

    /// The first sentences of the test set, each with those after it until it is as long as its translation will be.
    func sources(_ count: Int, length: Int) -> [[Int32]] {
        (0..<count).map { first in
            var tokens = Array(test.source[first]), next = first + 1
            while tokens.count < length {
                tokens += test.source[next % test.count].prefix(length - tokens.count)
                next += 1
            }
            return tokens
        }
    }

    private func measure(_ models: [Named], beams: [Int], lengths: [Int]) {
        for beam in beams {
            for length in lengths {
                // fewer of the long ones: one round would take a minute
                let sentences = sources(min(test.count, length > 50 ? 40 : 400), length: length)
                var search = SearchConfiguration(beam: beam)
                let name = search.name
                search.forcedLength = length
                for threads in threadCounts {
                    let rates = stopwatch.rates(
                        models.map { model in
                            let translator = Translator(model.model, search, pool: WorkerPool(threads: threads))
                            return { translator.translate(sentences).reduce(0.0) { $0 + Double($1.ids.count) } }
                        })
                    for (model, rate) in zip(models, rates) {
                        add(
                            .translation, "\(model.name), \(name), length \(length)", threads: threads, rate,
                            "output tokens/s")
                    }
                }
            }
        }
    }
}
