import ArgumentParser
import Models

/// How translations are searched for.
struct SearchOptions: ParsableArguments {
    @Option(help: "Hypotheses kept at each step; 1 is greedy search.") var beam = 1
    @Option(help: "Exponent of the length penalty.") var lengthPenalty: Double?
    @Option(help: "Longest translation, as a multiple of the source's tokens, plus ten.") var maxLengthRatio: Double?
    @Option(help: "Give every translation exactly this many tokens, for measurements.") var forcedLength: Int?
}
