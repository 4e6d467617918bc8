import Foundation
import TestSupport
import Testing

@testable import capture
@testable import distill
@testable import score
@testable import splice
@testable import tokenize
@testable import train

/// A run of tiny models in a folder of its own, made by the programs themselves, on one thread.
final class TinyRun {
    private let root = TemporaryFolder("tiny")
    var folder: String { root.path }
    /// The folder of the run's stages.
    var path: String { folder + "/runs/one" }

    /// Tokens and a teacher of so many encoder and decoder layers.
    init(layers: Int) throws {
        for (language, words) in [("en", "cat number %d sleeps"), ("de", "Katze Nummer %d schläft")] {
            let text = (1...40).map { String(format: words, $0) + "\n" }.joined()
            try root.write(text, "a." + language)
        }
        try tokenize("tokens")
        try teacher(layers: layers, steps: 5, to: "train")
    }

    func tokenize(_ name: String, _ arguments: String...) throws {
        try Tokenize.parse(
            [
                "--corpus", "mine", "--train-source", folder + "/a.en", "--train-target", folder + "/a.de",
                "--vocabulary-size", "80", "--hold-out-valid", "5", "--hold-out-test", "5",
            ] + arguments + ending(name)
        ).run()
    }

    func teacher(layers: Int, steps: Int, to name: String) throws {
        try train(
            "--width", "16", "--heads", "2", "--hidden", "32", "--encoder-layers", "\(layers)", "--decoder-layers",
            "\(layers)", "--max-steps", "\(steps)", to: name)
    }

    func train(_ arguments: String..., to name: String) throws {
        try Train.parse(["--tokens", path + "/tokens"] + arguments + ending(name)).run()
    }

    func capture(_ families: String..., at attentions: String..., to name: String = "capture") throws {
        try Capture.parse(
            ["--model", path + "/train", "--tokens", path + "/tokens", "--families"] + families + ["--attentions"]
                + attentions + ending(name)
        ).run()
    }

    /// Networks of a spec, in `distill/SPEC`.
    func distill(_ spec: String, from capture: String = "capture") throws {
        try Distill.parse(
            ["--capture", path + "/" + capture, "--spec", spec, "--epochs", "2"] + ending("distill/" + spec)
        ).run()
    }

    func splice(
        _ specs: [String], _ arguments: String..., into model: String = "train", to name: String = "splice"
    ) throws {
        let replacements = specs.flatMap { ["--replacement", path + "/distill/" + $0] }
        try Splice.parse(["--model", path + "/" + model] + replacements + arguments + ending(name)).run()
    }

    func score(_ model: String, _ arguments: String..., to name: String) throws {
        try Score.parse(
            ["--model", path + "/" + model, "--tokens", path + "/tokens"] + arguments + ending(name)
        ).run()
    }

    private func ending(_ name: String) -> [String] {
        ["--output", path + "/" + name, "--threads", "1", "--quiet"]
    }
}
