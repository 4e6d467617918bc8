import ArgumentParser
import Models

/// How translations are searched for.
struct SearchOptions: ParsableArguments {
    @Option(help: "Hypotheses kept at each step; 1 is greedy search.") var beam = 1
    @Option(help: "A hypothesis of n tokens counts log P / n^alpha.") var lengthPenalty = 1.0
    @Option(help: "Most tokens of a translation, as a multiple of the source's, plus ten.") var maxLengthRatio = 1.5
    @Flag(help: "Never put out <unk>.") var noUnknown = false
    @Option(help: "Give every translation exactly this many tokens, for measurements.") var forcedLength: Int?

    var configuration: SearchConfiguration {
        var search = SearchConfiguration(beam: beam)
        search.lengthPenalty = lengthPenalty
        search.maxLengthRatio = maxLengthRatio
        search.allowsUnknown = !noUnknown
        search.forcedLength = forcedLength
        return search
    }

    func validate() throws {
        if let problem = configuration.problem { throw ValidationError(problem) }
    }
}
