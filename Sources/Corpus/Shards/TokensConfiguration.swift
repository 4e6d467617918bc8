/// What `tokenize` decided and counted; the configuration in its manifest.
package struct TokensConfiguration: Codable, Equatable, Sendable {
    /// Name of the corpus, such as `multi30k`.
    package var corpus: String
    /// Languages, such as `en` and `de`.
    package var source: String
    package var target: String
    package var vocabulary: VocabularySettings
    /// One vocabulary for both languages: then `source.model` and `target.model` are the same.
    package var joint: Bool
    /// Ids in each vocabulary, which may be fewer than were asked for.
    package var sourceVocabularySize: Int
    package var targetVocabularySize: Int
    /// The most source ids, and one more than the most target ids, of a pair in `train` and `valid`.
    package var maxTokens: Int
    package var splits: [String: SplitStatistics]
    /// nil: a text is a sentence.
    package var joined: JoinedSentences?

    package var pair: String { "\(source)-\(target)" }
}

/// What became of one split.
package struct SplitStatistics: Codable, Equatable, Sendable {
    package var read = 0
    /// Sentences that the texts read were joined from; nil: each is one.
    package var sentences: Int?
    package var kept = 0
    /// Dropped pairs, and lines that were no sentences, by reason.
    package var dropped: [String: Int] = [:]
    package var sourceTokens = 0
    package var targetTokens = 0
    /// How many of the tokens are `<unk>`.
    package var sourceUnknown = 0
    package var targetUnknown = 0
}
