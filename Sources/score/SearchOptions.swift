import ArgumentParser
import Models
import Stages
import Training

/// How translations are searched for.
struct SearchOptions: ParsableArguments {
    @Option(help: "Hypotheses kept at each step; 1 is greedy search.") var beam = 1
    @Option(
        help: "Alpha: of hypotheses of n tokens that with the highest log P / n^alpha wins; greedy search has but one.")
    var lengthPenalty = 1.0
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

    var idle: [IdleOptions] {
        forcedLength == nil ? [] : [.init("--max-length-ratio", because: "--forced-length says how many there are")]
    }

    func validate() throws {
        if let problem = configuration.problem { throw ValidationError(problem) }
    }

    /// Translations of fewer tokens than were asked for would be a measurement of something else.
    func requireRoom(in folder: ModelFolder) throws {
        let most = folder.model.maximumTarget
        guard let length = forcedLength, length > most else { return }
        throw ValidationError("--forced-length \(length): translations of \(folder.path) have at most \(most) tokens")
    }
}
