import Corpus
import Kernels
import Models

extension Session {
    private typealias Named = (name: String, model: TranslationModel)

    /// Sentences of the test set, each translation of a fixed length, as what untrained weights would say has no end. Models whose
    /// Transformer is of one precision are measured in turn, since their ratios are what counts.
    func translation() throws {
        let model = Transformer(configuration), weights = model.layout.initialized(seed: 1)
        for transformer in Precision.allCases {
            let teacher = Self.name("teacher", transformer == .float32 ? .float32 : .int8)
            var small: [Named] = [], large: [Named] = [(teacher, TranslationModel(model, weights: weights, precision: transformer))]
            for precision in TranslationPrecision.allCases where precision.transformer == transformer {
                small += try ["xs", "s"].map { try spliced($0, model, weights, precision) }
                large.append(try spliced("m", model, weights, precision))
            }
            measure(large + small, beams: [1, 4], lengths: [14])
            measure(large, beams: [1], lengths: [28, 42])
        }
    }

    private static func name(_ model: String, _ precision: TranslationPrecision) -> String {
        precision == .float32 ? model : "\(model), \(precision)"
    }

    /// The model with ALR networks at encoder and decoder.
    private func spliced(_ size: String, _ model: Transformer, _ weights: FloatBlock, _ precision: TranslationPrecision) throws -> Named {
        let specs = ["encoder", "decoder"].map { "alr-\(size).\($0)" }
        let splice = try Splice(specs.flatMap { try Spec(parsing: $0).layers(of: 6) }, in: configuration)
        let initial = splice.layout.initialized(seed: 1)
        let networks = splice.bound(in: model, weights, precision.networks) { Self.copy(initial, splice.layout, to: $0, $1) }
        let translation = TranslationModel(model, weights: weights, precision: precision.transformer, replacing: networks)
        return (Self.name(specs.joined(separator: "+"), precision), translation)
    }

    private static func copy(_ weights: FloatBlock, _ layout: ParameterLayout, to block: FloatBlock, _ slots: [Slot]) {
        for slot in slots {
            let from = layout.slots.first { $0.name == slot.name }!
            (block.base + slot.offset).update(from: weights.base + from.offset, count: slot.count)
        }
    }

    private func measure(_ models: [Named], beams: [Int], lengths: [Int]) {
        let sentences = (0..<min(test.count, 400)).map { Array(test.source[$0]) }
        for beam in beams {
            for length in lengths {
                var search = SearchConfiguration(beam: beam)
                search.forcedLength = length
                for threads in threadCounts {
                    let rates = stopwatch.rates(models.map { model in
                        let translator = Translator(model.model, search, pool: WorkerPool(threads: threads))
                        return { translator.translate(sentences).reduce(0.0) { $0 + Double($1.ids.count) } }
                    })
                    for (model, rate) in zip(models, rates) {
                        add(.translation, "\(model.name), \(search.name), length \(length)", threads: threads, rate, "output tokens/s")
                    }
                }
            }
        }
    }
}
