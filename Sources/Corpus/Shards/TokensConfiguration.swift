/// What `tokenize` decided and counted; the configuration in its manifest.
public struct TokensConfiguration: Codable, Equatable, Sendable {
    /// Name of the corpus, such as `multi30k`.
    public var corpus: String
    /// Languages, such as `en` and `de`.
    public var source: String
    public var target: String
    public var vocabulary: VocabularySettings
    /// One vocabulary for both languages: then `source.model` and `target.model` are the same.
    public var joint: Bool
    /// Ids in each vocabulary, which may be fewer than were asked for.
    public var sourceVocabularySize: Int
    public var targetVocabularySize: Int
    /// The most source ids, and one more than the most target ids, of a pair in `train` and `valid`.
    public var maxTokens: Int
    public var splits: [String: SplitStatistics]
    /// nil: a text is a sentence.
    public var joined: JoinedSentences?

    public var pair: String { "\(source)-\(target)" }
}

/// What became of one split.
public struct SplitStatistics: Codable, Equatable, Sendable {
    public var read = 0
    /// Sentences that the texts read were joined from; nil: each is one.
    public var sentences: Int?
    public var kept = 0
    /// Dropped pairs, and lines that were no sentences, by reason.
    public var dropped: [String: Int] = [:]
    public var sourceTokens = 0
    public var targetTokens = 0
    /// How many of the tokens are `<unk>`.
    public var sourceUnknown = 0
    public var targetUnknown = 0
}
