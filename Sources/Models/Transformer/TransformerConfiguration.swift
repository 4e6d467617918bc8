/// The shape of a teacher and its dropout. The defaults are those of preset `paper`.
public struct TransformerConfiguration: Codable, Equatable, Sendable {
    /// Which of source embedding, target embedding and output layer are one matrix.
    public enum Tying: String, Codable, CaseIterable, Sendable {
        case none
        /// Target embedding and output layer (Press & Wolf 2017).
        case output
        /// All three; needs a joint vocabulary.
        case all
    }

    public var sourceVocabulary: Int
    public var targetVocabulary: Int
    public var width = 128
    public var heads = 8
    public var hidden = 512
    public var encoderLayers = 6
    public var decoderLayers = 6
    public var tying = Tying.none
    /// S: longest sentence of training and width, in tokens, of what replacements look at.
    public var maxTokens = 50
    public var embeddingDropout: Float = 0.1
    public var attentionDropout: Float = 0.1
    public var hiddenDropout: Float = 0.1
    public var residualDropout: Float = 0.1

    public init(sourceVocabulary: Int, targetVocabulary: Int) {
        self.sourceVocabulary = sourceVocabulary
        self.targetVocabulary = targetVocabulary
    }

    public var head: Int { width / heads }

    /// What makes the values unusable together, in words.
    public var problem: String? {
        if width < 1 || heads < 1 || width % heads != 0 { return "width \(width) is not a multiple of \(heads) heads" }
        if width % 2 != 0 { return "width \(width) is odd; sinusoidal positions need pairs" }
        if hidden < 1 || encoderLayers < 0 || decoderLayers < 1 { return "hidden width and decoder layers must be positive" }
        if tying == .all && sourceVocabulary != targetVocabulary {
            return "tying all embeddings needs a joint vocabulary, found \(sourceVocabulary) source and \(targetVocabulary) target pieces"
        }
        let rates = [embeddingDropout, attentionDropout, hiddenDropout, residualDropout]
        if rates.contains(where: { !(0..<1).contains($0) }) { return "dropout must be at least 0 and less than 1" }
        return nil
    }
}
