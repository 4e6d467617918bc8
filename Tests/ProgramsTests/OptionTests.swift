import ArgumentParser
import Foundation
import Tensors
import Testing
import Training

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

    private typealias Wiring = (option: String, value: String, settings: Set<String>)
    private static let dropouts: Set = [
        "model.embeddingDropout", "model.attentionDropout", "model.hiddenDropout", "model.residualDropout",
    ]
    /// Of `train`: each option, a value that no preset has, and the settings that it is.
    private static let wirings: [Wiring] = [
        ("--width", "64", ["model.width"]), ("--heads", "4", ["model.heads"]), ("--hidden", "96", ["model.hidden"]),
        ("--encoder-layers", "3", ["model.encoderLayers"]), ("--decoder-layers", "2", ["model.decoderLayers"]),
        ("--tying", "output", ["model.tying"]), ("--dropout", "0.25", dropouts),
        ("--embedding-dropout", "0.25", ["model.embeddingDropout"]),
        ("--attention-dropout", "0.25", ["model.attentionDropout"]),
        ("--hidden-dropout", "0.25", ["model.hiddenDropout"]),
        ("--residual-dropout", "0.25", ["model.residualDropout"]),
        ("--epochs", "7", ["training.epochs"]), ("--max-steps", "9", ["training.maxSteps"]),
        ("--schedule", "constant", ["training.schedule.shape"]), ("--peak", "0.5", ["training.schedule.peak"]),
        ("--warmup", "77", ["training.schedule.warmup"]), ("--weight-decay", "0.125", ["training.adam.decay"]),
        ("--patience", "11", ["training.patience"]), ("--average", "13", ["training.averaged"]),
        ("--seed", "17", ["teacher.seed"]), ("--batch-tokens", "777", ["teacher.batchTokens"]),
        ("--shares", "2", ["teacher.shares"]), ("--smoothing", "0.375", ["teacher.smoothing"]),
        ("--clip", "0.625", ["teacher.clip"]), ("--beta1", "0.5", ["training.adam.beta1"]),
        ("--beta2", "0.75", ["training.adam.beta2"]), ("--epsilon", "0.25", ["training.adam.epsilon"]),
        ("--optimizer", "muon", ["teacher.muon.scale", "teacher.muon.momentum"]),
        ("--alpha", "0.25", ["teaching.alpha"]), ("--temperature", "3", ["teaching.temperature"]),
        ("--likeliest", "5", ["teaching.likeliest"]), ("--matching", "0.5", ["teaching.matching"]),
        ("--teacher-beam", "3", ["teaching.translationBeam"]), ("--trainable", "all", ["teaching.trainable"]),
    ]

    /// What `train` would do with an option, as the leaves of its settings.
    private func settings(_ arguments: [String]) throws -> [String: String] {
        struct All: Encodable {
            var values: TrainingPreset.Values
            var teaching: TeachingSettings
        }
        let train = try #require(
            try Train.parse(["--tokens", "t", "--output", "o"] + arguments) as Train?)
        var all = All(
            values: TrainingPreset.small.values(sourceVocabulary: 90, targetVocabulary: 90, joint: false),
            teaching: TeachingSettings())
        train.shape.apply(to: &all.values.model)
        try train.learning.apply(to: &all.values, preset: .small)
        train.teaching.apply(to: &all.teaching)
        func leaves(_ value: Any, _ name: String) -> [String: String] {
            guard let object = value as? [String: Any] else { return [name: "\(value)"] }
            return object.reduce(into: [:]) { all, member in
                let inner = name == "" || name == "values" ? member.key : "\(name).\(member.key)"
                all.merge(leaves(member.value, inner)) { first, _ in first }
            }
        }
        return leaves(try JSONSerialization.jsonObject(with: JSONEncoder().encode(all)), "")
    }

    @Test func everyOptionOfTrainingIsItsOwnSettingAndNoOther() throws {
        let plain = try settings([])
        for (option, value, expected) in Self.wirings {
            let isTaught = expected.first!.hasPrefix("teaching"),
                changed = try settings((isTaught ? ["--model=m", "--teacher=t"] : []) + ["\(option)=\(value)"])
            #expect(Set(plain.keys).union(changed.keys).filter { plain[$0] != changed[$0] } == expected, "\(option)")
            if expected.count == 1 { #expect(changed[expected.first!] == value, "\(option)") }
        }
        for (option, setting) in [("--muon-scale", "teacher.muon.scale"), ("--muon-momentum", "teacher.muon.momentum")]
        {
            let muon = try settings(["--optimizer=muon"]),
                changed = try settings(["--optimizer=muon", "\(option)=0.625"])
            #expect(Set(muon.keys).filter { muon[$0] != changed[$0] } == [setting] && changed[setting] == "0.625")
        }
        let known = Set(Self.wirings.map(\.option)).union([
            "--model", "--teacher", "--muon-scale", "--muon-momentum", "--checkpoint-seconds", "--discard-checkpoint",
            "--bleu-every",
        ])
        let all = [ModelOptions.self, LearningOptions.self, TeachingOptions.self].flatMap {
            DefinedArguments.names(of: $0 as any ParsableArguments.Type)
        }
        #expect(Set(all) == known)
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
