/// How a vocabulary is learnt from the training text.
package struct VocabularySettings: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// Byte-pair encoding (Sennrich et al. 2016) by SentencePiece.
        case bpe = "spm-bpe"
        /// Unigram language model (Kudo 2018) by SentencePiece.
        case unigram = "spm-unigram"
        /// Whole words above a minimum frequency.
        case word
    }

    package var kind: Kind
    /// Pieces including the three special ones. A small text may yield fewer. For words: the most, if not 0.
    package var size: Int
    /// Words that occur less often become `<unk>`.
    package var minimumFrequency: Int
    /// Words only.
    package var lowercase: Bool
    /// SentencePiece only: its normalization rule, `nmt_nfkc`, `nfkc` or `identity`.
    package var normalization: String
    /// SentencePiece only: share of the characters that get a piece of their own, the rarest left out.
    package var coverage: Double

    package init(
        kind: Kind, size: Int, minimumFrequency: Int = 2, lowercase: Bool = false, normalization: String = "nmt_nfkc",
        coverage: Double = 1
    ) {
        self.kind = kind
        self.size = size
        self.minimumFrequency = minimumFrequency
        self.lowercase = lowercase
        self.normalization = normalization
        self.coverage = coverage
    }
}

extension Vocabulary {
    /// Learns a vocabulary. The same lines in the same order give the same one, byte for byte.
    ///
    /// - Parameter name: of the text, in errors only.
    package static func learn(from lines: [String], _ settings: VocabularySettings, name: String) throws -> Vocabulary {
        switch settings.kind {
        case .bpe, .unigram:
            Vocabulary(content: .sentencePiece(try SentencePieceModel.learn(from: lines, settings, name: name)))
        case .word:
            Vocabulary(content: .words(try WordModel.learn(from: lines, settings, name: name)))
        }
    }
}
