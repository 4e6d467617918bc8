import ArgumentParser
import Corpus
import Stages

extension VocabularySettings.Kind: ExpressibleByArgument {}

/// One vocabulary for both languages, or one for each.
enum Sharing: String, EnumerableFlag {
    case joint, separate

    static func help(for value: Sharing) -> ArgumentHelp? {
        value == .joint ? "One vocabulary for both languages." : "A vocabulary for each language."
    }
}

/// How text becomes ids, and which pairs are kept.
struct VocabularyOptions: ParsableArguments {
    @Option(help: "Pieces of words, or words.")
    var vocabulary = VocabularySettings.Kind.bpe

    @Option(
        help: ArgumentHelp(
            "Entries of each vocabulary, at most; for words 0 is no limit. (default: 8000, for the phrasebook 1500)",
            valueName: "n"))
    var vocabularySize: Int?

    @Flag(exclusivity: .exclusive)
    var sharing = Sharing.joint

    @Option(help: ArgumentHelp("Words that occur less often become <unk>.", valueName: "n"))
    var minimumFrequency = 2

    @Flag(help: "Words only: lower case for everything.")
    var lowercase = false

    @Option(help: ArgumentHelp("SentencePiece's normalization: nmt_nfkc, nfkc or identity.", valueName: "rule"))
    var normalization = "nmt_nfkc"

    @Option(help: ArgumentHelp("Share of the characters that get a piece of their own.", valueName: "share"))
    var coverage = 1.0

    @Option(help: ArgumentHelp("Longest sentence in tokens; on the target side one of them is <s>.", valueName: "n"))
    var maxTokens = 50

    @Flag(help: "Drop pairs that occurred before.")
    var dropDuplicates = false

    func validate() throws {
        if let size = vocabularySize, size < 4, !(vocabulary == .word && size == 0) {
            throw ValidationError("--vocabulary-size must be at least 4, not \(size)")
        }
        guard ["nmt_nfkc", "nfkc", "identity"].contains(normalization) else {
            throw ValidationError("--normalization must be nmt_nfkc, nfkc or identity, not '\(normalization)'")
        }
    }

    /// Options that the chosen kind of vocabulary does not read.
    var idle: IdleOptions {
        vocabulary == .word
            ? IdleOptions("--normalization", "--coverage", because: "--vocabulary is word")
            : IdleOptions("--minimum-frequency", "--lowercase", because: "--vocabulary is \(vocabulary.rawValue)")
    }

    var isJoint: Bool { sharing == .joint }

    var filter: PairFilter { PairFilter(maxTokens: maxTokens, dropsDuplicates: dropDuplicates) }

    func settings(for text: TextOptions) -> VocabularySettings {
        VocabularySettings(
            kind: vocabulary, size: vocabularySize ?? (text.isPhrasebook ? 1500 : 8000),
            minimumFrequency: minimumFrequency, lowercase: lowercase,
            normalization: normalization, coverage: coverage)
    }
}
