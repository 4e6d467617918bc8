import Corpus
import Kernels
import Models

extension Session {
    /// Sentences of the test set, each translation of a fixed length, as what untrained weights would say has no end.
    func translation() throws {
        let model = Transformer(configuration), weights = model.layout.initialized(seed: 1)
        let sentences = (0..<min(test.count, 400)).map { Array(test.source[$0]) }
        for precision in TranslationPrecision.allCases {
            let suffix = precision == .float32 ? "" : ", \(precision)"
            if precision != .mixed {
                measure("teacher\(suffix)", TranslationModel(model, weights: weights, precision: precision.transformer), sentences, longest: 42)
            }
            for size in ["xs", "s", "m"] {
                let splice = try Splice(["encoder", "decoder"].flatMap { try Spec(parsing: "alr-\(size).\($0)").layers(of: 6) }, in: configuration)
                let initial = splice.layout.initialized(seed: 1)
                let networks = splice.bound(in: model, weights, precision.networks) { Self.copy(initial, splice.layout, to: $0, $1) }
                let spliced = TranslationModel(model, weights: weights, precision: precision.transformer, replacing: networks)
                measure("alr-\(size).encoder+alr-\(size).decoder\(suffix)", spliced, sentences, longest: size == "m" ? 42 : 14)
            }
        }
    }

    private static func copy(_ weights: FloatBlock, _ layout: ParameterLayout, to block: FloatBlock, _ slots: [Slot]) {
        for slot in slots {
            let from = layout.slots.first { $0.name == slot.name }!
            (block.base + slot.offset).update(from: weights.base + from.offset, count: slot.count)
        }
    }

    private func measure(_ name: String, _ model: TranslationModel, _ sentences: [[Int32]], longest: Int) {
        measure(name, model, sentences, beams: [1, 4], lengths: [14])
        measure(name, model, sentences, beams: [1], lengths: [28, 42].filter { $0 <= longest })
    }

    private func measure(_ name: String, _ model: TranslationModel, _ sentences: [[Int32]], beams: [Int], lengths: [Int]) {
        for beam in beams {
            for length in lengths {
                var search = SearchConfiguration(beam: beam)
                search.forcedLength = length
                for threads in threadCounts {
                    let translator = Translator(model, search, pool: WorkerPool(threads: threads))
                    let rate = stopwatch.rate { translator.translate(sentences).reduce(0.0) { $0 + Double($1.ids.count) } }
                    add(.translation, "\(name), \(search.name), length \(length)", threads: threads, rate, "output tokens/s")
                }
            }
        }
    }
}
