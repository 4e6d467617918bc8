import Testing

@testable import Models
@testable import splice

/// A model of 40 BLEU of which every network takes what `cost` says; `mix-l` at encoder.0 takes 0.2 more beside `mix-s`
/// at encoder.1.
@Suite struct GreedyChoiceTests {
    private let cost = [
        "mix-s.encoder.0": 0.3, "mix-l.encoder.0": 0.1, "mix-s.encoder.1": 0.05, "mix-s.cross.0": 0.6,
        "mix-l.cross.0": 0.35,
        "mix-s.decoder.0": -0.1,
    ]

    private func chosen(bound: Double) throws -> GreedyChoice {
        let specs = try cost.keys.sorted().map {
            (spec: try Spec(parsing: $0), parameters: $0.hasPrefix("mix-s") ? 10 : 20)
        }
        var choice = GreedyChoice(specs, bound: bound)
        var tried: Set<[Spec]> = []
        choice.choose { specs in
            #expect(tried.insert(specs).inserted, "no model is translated with twice")
            let names = specs.map { "\($0)" }
            let pairs = names.contains("mix-l.encoder.0") && names.contains("mix-s.encoder.1") ? 0.2 : 0
            return 40 - names.reduce(0) { $0 + cost[$1]! } - pairs
        }
        return choice
    }

    private func kept(bound: Double) throws -> [String] { try chosen(bound: bound).kept.map { "\($0)" } }

    @Test func cheapestPlacesComeFirstAndTheSmallestThatFitsIsKept() throws {
        #expect(try kept(bound: 1) == ["mix-s.decoder.0", "mix-s.encoder.1", "mix-s.encoder.0", "mix-s.cross.0"])
    }

    @Test func aLargerNetworkStandsWhereTheSmallerCostsTooMuch() throws {
        #expect(try kept(bound: 0.7) == ["mix-s.decoder.0", "mix-s.encoder.1", "mix-s.encoder.0", "mix-l.cross.0"])
    }

    @Test func whatCostsTooMuchBesideTheOthersStaysAttention() throws {
        // mix-l.encoder.0 alone would fit, but not beside encoder.1
        #expect(try kept(bound: 0.12) == ["mix-s.decoder.0", "mix-s.encoder.1"])
        let choice = try chosen(bound: 0.12), large = choice.candidates.first { "\($0.spec)" == "mix-l.encoder.0" }!
        #expect(abs(large.together! - 39.75) < 1e-9)
    }

    @Test func nothingIsKeptThatLosesMoreThanNothing() throws {
        #expect(try kept(bound: 0) == ["mix-s.decoder.0", "mix-s.encoder.1"])
    }

    @Test func aNetworkThatWasNotNeededIsNotTried() throws {
        let large = try chosen(bound: 1).candidates.first { "\($0.spec)" == "mix-l.cross.0" }!
        #expect(large.together == nil && !large.isKept)
    }
}
