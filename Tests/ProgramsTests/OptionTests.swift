import ArgumentParser
import Tensors
import Testing

@testable import Stages
@testable import bench
@testable import capture
@testable import distill
@testable import score
@testable import splice
@testable import tokenize
@testable import train

/// What the programs ask of their options; lists of these that are kept by hand have all of them.
@Suite struct OptionTests {
    private static let programs: [any StageCommand.Type] = [
        Tokenize.self, Train.self, Capture.self, Distill.self, Splice.self, Score.self, Bench.self,
    ]

    /// Whether the option of a program takes this for a value.
    private func reads(_ program: any StageCommand.Type, _ option: String, _ text: String) -> Bool {
        do {
            _ = try program.parseAsRoot(["\(option)=\(text)"])
            return true
        } catch {
            return !program.message(for: error).contains("is invalid for '")
        }
    }

    @Test func everyNumberHasARange() {
        var numbers: Set<String> = []
        for program in Self.programs {
            for argument in DefinedArguments.all(of: program) where argument.isOption {
                guard let name = argument.long.first else { continue }
                if reads(program, name, "1"), !reads(program, name, "one") { numbers.insert(name) }
            }
        }
        #expect(numbers == Set(NumberRange.all.keys).union(["--seed"]), "a seed may be any whole number")
    }

    /// Values for options that do not take 1.
    private static let values = ["--trainable": "all", "--tying": "all"]

    private func isRefused(_ option: String, beside arguments: String...) -> Bool {
        do {
            _ = try Train.parse(arguments + ["\(option)=\(Self.values[option] ?? "1")"])
            return false
        } catch {
            return Train.message(for: error).contains(option)
        }
    }

    @Test func whatTeachesIsForTrainingInPlace() {
        let options = DefinedArguments.names(of: TeachingOptions.self).filter {
            !["--model", "--teacher"].contains($0)
        }
        #expect(options.count > 3)
        for option in options { #expect(isRefused(option, beside: "--tokens", "t", "--output", "o"), "\(option)") }
    }

    @Test func aModelThatIsTrainedFurtherHasItsShape() {
        let options = DefinedArguments.names(of: ModelOptions.self).filter { !$0.hasSuffix("dropout") }
        #expect(options.count > 3)
        for option in options {
            #expect(isRefused(option, beside: "--tokens", "t", "--output", "o", "--model", "m"), "\(option)")
        }
    }

    /// A capture does not start where its bytes, and some more, are not free.
    @Test func aCaptureWantsRoom() throws {
        for (type, isLarge) in [("F16", false), ("F32", true)] {
            let capture = try Capture.parse([
                "--model", "m", "--tokens", "t", "--attentions", "cross", "--output", "here", "--type", type,
            ])
            let error = #expect(throws: DataError.self) { try capture.requireSpace(1000, of: 1020) }
            #expect(error?.exitCode == 74 && error?.path == "here")
            #expect(error?.hint?.contains("--type") == isLarge)
            try capture.requireSpace(1000, of: 1021)
        }
    }
}
