import Foundation
import Testing

@testable import Models

struct ReplacementSpecTests {
    @Test func everySpecIsPrintedAsItIsRead() throws {
        var seen: Set<Spec> = []
        for family in FlattenedFamily.all {
            for size in family.namedSizes + ["h1", "h96"] {
                for attention in Attention.allCases where attention == .encoder || family.name == "alr" {
                    for layer in [nil, 0, 5, 11] {
                        let spec = try Spec(family: family, size: size, attention: attention, layer: layer)
                        #expect(try Spec(parsing: spec.description) == spec)
                        #expect(try JSONDecoder().decode(Spec.self, from: JSONEncoder().encode(spec)) == spec)
                        seen.insert(spec)
                    }
                }
            }
        }
        #expect(seen.count == 7 * 4 * (4 + 3))
        #expect(
            try Spec(parsing: "alr-m.encoder.3")
                == Spec(family: FlattenedFamily.alr, size: "m", attention: .encoder, layer: 3))
        #expect(try Spec(parsing: "aslr-h96.encoder").layers(of: 6).map(\.description).last == "aslr-h96.encoder.5")
    }

    @Test(arguments: [
        ("", "as in alr-m.encoder.3"), ("alr-m", "as in alr-m.encoder.3"), ("alr.encoder", "as in alr-m"),
        ("alr-m-x.encoder", "as in alr-m"), ("blr-m.encoder", "none of alr alrr aslr elr"),
        ("alr-xxl.encoder", "none of xs s m l xl"), ("alr-h0.encoder", "h96"), ("alr-h-1.encoder", "as in alr-m"),
        ("alr-h07.encoder", "h96"), ("alr-h65537.encoder", "h96"), ("ALR-m.encoder", "none of alr"),
        ("alr-m.self", "encoder decoder cross crossfull"),
        ("alr-m.encoder.", "not a number"), ("alr-m.encoder.-1", "not a number"), ("alr-m.encoder.+1", "not a number"),
        ("alr-m.encoder.1.2", "as in"), ("elr-m.decoder", "takes alr"), ("aslr-m.cross.2", "takes alr"),
    ])
    func whatIsWrongIsSaid(text: String, reason: String) {
        let error = #expect(throws: SpecError.self) { try Spec(parsing: text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func layersAreThoseOfTheModel() throws {
        #expect(throws: SpecError.self) { try Spec(parsing: "alr-m.encoder.6").layers(of: 6) }
    }

    @Test(arguments: [
        ("alr-l.encoder", "alr-m.encoder.2", true), ("alr-l.cross", "alr-m.crossfull", true),
        ("elr-s.encoder.1", "alr-s.encoder.1", true),
        ("alr-xs.cross.0", "alr-s.cross.1", false), ("alr-l.encoder", "alr-m.decoder", false),
    ])
    func onePlaceIsForOneNetwork(first: String, second: String, overlap: Bool) throws {
        let (first, second) = (try Spec(parsing: first), try Spec(parsing: second))
        #expect(first.overlaps(second) == overlap && second.overlaps(first) == overlap)
    }

    /// The counts of the paper's networks at S = 50, d = 128, 8 heads.
    @Test(arguments: [
        ("encoder", [339_275, 659_350, 10_261_600, 40_988_800]),
        ("decoder", [176_203, 339_478, 5_237_728, 20_912_128]),
        ("crossfull", [992_150, 1_952_300, 30_756_800, 122_931_200]),
    ])
    func parameterCounts(attention: String, counts: [Int]) throws {
        for (size, count) in zip(["xs", "s", "m", "l"], counts) {
            for mode in attention == "encoder" ? ["alr", "alrr", "elr"] : ["alr"] {
                let spec = try Spec(parsing: "\(mode)-\(size).\(attention)")
                #expect(FlattenedShape(spec, TeacherShape(width: 128, heads: 8, maxTokens: 50)).parameters == count)
            }
        }
    }

    @Test func parameterCountsOfTheNetworksForSingleHeads() throws {
        let counts = [11_633_600, 23_158_400, 46_208_000, 92_307_200]
        for (size, count) in zip(["xs", "s", "m", "l"], counts) {
            let shape = FlattenedShape(
                try Spec(parsing: "aslr-\(size).encoder"), TeacherShape(width: 128, heads: 8, maxTokens: 50))
            #expect(shape.parameters == count && shape.networks == 8 && shape.outputWidth == 16)
        }
    }

    @Test func widthsFollowTheTeacher() throws {
        func hidden(_ text: String, _ maxTokens: Int, _ width: Int) throws -> Int {
            FlattenedShape(try Spec(parsing: text), TeacherShape(width: width, heads: 4, maxTokens: maxTokens)).hidden
        }
        #expect(try hidden("alr-xl.encoder", 50, 128) == 12_800)
        #expect(try hidden("alr-xs.cross", 50, 128) == 50)
        #expect(try hidden("alr-l.cross", 50, 128) == 6_400)
        #expect(try hidden("alr-xs.encoder", 10, 16) == 1)
        #expect(try hidden("alr-m.encoder", 20, 64) == 160)
        #expect(try hidden("alr-h7.cross", 20, 64) == 7)
    }
}
