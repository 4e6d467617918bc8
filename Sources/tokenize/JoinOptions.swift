import ArgumentParser
import Corpus

/// Texts of several sentences.
struct JoinOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Make texts of 1 to n consecutive sentences, as --seed draws; raise --max-tokens with it.", valueName: "n"))
    var join = 1

    @Option(help: ArgumentHelp("Exactly n in the test, to measure one length. (default: as --join)", valueName: "n"))
    var joinTest: Int?

    /// nil where every sentence is a text.
    func joined(seed: UInt64) -> JoinedSentences? {
        join == 1 && joinTest ?? 1 == 1 ? nil : JoinedSentences(most: join, test: joinTest, seed: seed)
    }
}
