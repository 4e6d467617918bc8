/// The shape of a teacher and its dropout. The defaults are those of preset `paper`.
package struct TransformerConfiguration: Codable, Equatable, Sendable {
    /// Which of source embedding, target embedding and output layer are one matrix.
    package enum Tying: String, Codable, CaseIterable, Sendable {
        case none
        /// Target embedding and output layer (Press & Wolf 2017).
        case output
        /// All three; needs a joint vocabulary.
        case all
    }

    package var sourceVocabulary: Int
    package var targetVocabulary: Int
    package var width = 128
    package var heads = 8
    package var hidden = 512
    package var encoderLayers = 6
    package var decoderLayers = 6
    package var tying = Tying.none
    /// S: longest sentence of training in tokens, `<s>` counted, and how many positions the paper's networks see.
    package var maxTokens = 50
    package var embeddingDropout: Float = 0.1
    package var attentionDropout: Float = 0.1
    package var hiddenDropout: Float = 0.1
    package var residualDropout: Float = 0.1

    package init(sourceVocabulary: Int, targetVocabulary: Int) {
        self.sourceVocabulary = sourceVocabulary
        self.targetVocabulary = targetVocabulary
    }

    /// Of another model's shape, with its own dropout.
    package func withShape(of other: Self) -> Self {
        var result = other
        (result.embeddingDropout, result.attentionDropout) = (embeddingDropout, attentionDropout)
        (result.hiddenDropout, result.residualDropout) = (hiddenDropout, residualDropout)
        return result
    }

    /// The longest sentence that there are positions for, in tokens.
    package static let mostTokens = 1024

    /// What can be told of each number by itself.
    package static let widths = 1...1 << 16, headCounts = 1...1 << 16, hiddenWidths = 1...1 << 20,
        encoderDepths = 0...1000, decoderDepths = 1...1000

    /// What makes the values unusable, alone or together, in words.
    package var problem: String? {
        if let problem = problemOfSize { return problem }
        if width % heads != 0 { return "width \(width) is not a multiple of \(heads) heads" }
        if width % 2 != 0 { return "width \(width) is odd; sinusoidal positions need pairs" }
        if tying == .all && sourceVocabulary != targetVocabulary {
            return "tying all embeddings needs a joint vocabulary, "
                + "found \(sourceVocabulary) source and \(targetVocabulary) target pieces"
        }
        let rates = [embeddingDropout, attentionDropout, hiddenDropout, residualDropout]
        if rates.contains(where: { !(0..<1).contains($0) }) { return "dropout must be at least 0 and less than 1" }
        return nil
    }

    /// Each number by itself, then what they come to: a model that could not be held is refused before memory is asked
    /// for.
    private var problemOfSize: String? {
        let sizes: KeyValuePairs = [
            "source vocabulary": (sourceVocabulary, 1...1 << 24), "target vocabulary": (targetVocabulary, 1...1 << 24),
            "width": (width, Self.widths), "heads": (heads, Self.headCounts),
            "hidden width": (hidden, Self.hiddenWidths), "encoder layers": (encoderLayers, Self.encoderDepths),
            "decoder layers": (decoderLayers, Self.decoderDepths),
            "tokens of a sentence": (maxTokens, 1...Self.mostTokens),
        ]
        for (name, (value, range)) in sizes where !range.contains(value) {
            return "\(name): \(value) is not in \(range.lowerBound)...\(range.upperBound)"
        }
        let matrices =
            (encoderLayers + 2 * decoderLayers) * 4 * width * width + (encoderLayers + decoderLayers) * 2 * width
            * hidden
        let parameters = matrices + (sourceVocabulary + targetVocabulary) * width
        return parameters <= Self.mostParameters ? nil : "\(parameters) parameters are more than \(Self.mostParameters)"
    }

    /// 8 GB of weights, four times as much to train.
    private static let mostParameters = 2_000_000_000
}
