import Foundation
import Kernels
import Testing

@testable import Models
@testable import capture
@testable import distill
@testable import score
@testable import splice
@testable import tokenize
@testable import train

/// A family in one file: a token's context is the token itself, times a gain that is learnt.
struct IdentityFamily: Family {
    let name = "identity"
    let summary = "the input, times a gain"
    let span = Span.heads
    let attentions = [Attention.encoder, .decoder, .cross]
    let namedSizes = ["one"]
    let otherSizes = "anything else"
    func hasSize(_ text: String) -> Bool { false }
    func recipe(_ spec: Spec) -> DistillationRecipe { DistillationRecipe() }

    func network(_ spec: Spec, _ shape: TeacherShape, _ layout: inout ParameterLayout) -> any ContextNetwork {
        IdentityNetwork(gain: layout.add("gain", [shape.width], .constant(1)), isInEncoder: spec.attention == .encoder)
    }
}

private struct IdentityNetwork: ContextNetwork {
    let gain: Slot
    let isInEncoder: Bool
    var bounds: (source: Int?, target: Int?) { (nil, nil) }

    private struct Nothing: BitwiseCopyable {}

    func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
        let y = pass.workspace.matrix(x.rows, x.columns)
        multiply(x, by: pass.weights[gain], into: y)
        return ContextTape(x: x, context: y, keeping: Nothing(), pass.workspace)
    }

    func backward(
        _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass
    ) {
        let dgain = pass.gradient(gain)
        for row in 0..<dcontext.rows {
            for c in 0..<dcontext.columns { dgain[0, c] += dcontext[row, c] * tape.x[row, c] }
        }
        if let dx { multiply(dcontext, by: pass.weights[gain], into: dx) }
    }

    func distiller(_ setting: DistillerSetting) -> any Distiller { PackedDistiller(self, width: gain.count, setting) }
    func stepFlops(tokens: Int, memoryTokens: Int) -> Double { 0 }

    func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext {
        let copy = FloatBlock(gain.count)
        copy.matrix(1, gain.count).copy(from: weights[gain])
        let bound = BoundIdentity(gain: copy)
        return isInEncoder ? .sentences(bound) : .steps(bound)
    }
}

private final class BoundIdentity: SentenceMap, StepAttention, StepState {
    let gain: FloatBlock
    init(gain: FloatBlock) { self.gain = gain }

    var maximumTokens: Int? { nil }
    var maximumSource: Int? { nil }
    var maximumTarget: Int? { nil }
    var isProjected: Bool { false }
    func makeState() -> any StepState { self }
    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace) {}
    func copy(from: Int, to: Int, positions: Int) {}
    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace) {
        multiply(x, by: gain.matrix(1, gain.count), into: context)
    }
    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
        multiply(x, by: gain.matrix(1, gain.count), into: y)
    }
}

private func multiply(_ x: Matrix, by gain: Matrix, into y: Matrix) {
    for row in 0..<x.rows { for c in 0..<x.columns { y[row, c] = x[row, c] * gain[0, c] } }
}

/// The programs take the family from its own file and nothing else: capture, distill, splice, train, score.
@Suite struct IdentityFamilyTests {
    @Test func allProgramsTakeAFamily() throws {
        Families.add(IdentityFamily())
        let folder = NSTemporaryDirectory() + "identity-" + UUID().uuidString, run = folder + "/runs/one"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (language, words) in [("en", "cat number %d sleeps"), ("de", "Katze Nummer %d schläft")] {
            let text = (1...40).map { String(format: words, $0) + "\n" }.joined()
            try text.write(toFile: folder + "/a." + language, atomically: true, encoding: .utf8)
        }
        try Tokenize.parse([
            "--corpus", "mine", "--train-source", folder + "/a.en", "--train-target", folder + "/a.de",
            "--vocabulary-size", "80",
            "--hold-out-valid", "5", "--hold-out-test", "5", "--output", run + "/tokens", "--threads", "1", "--quiet",
        ]).run()
        try Train.parse([
            "--tokens", run + "/tokens", "--width", "16", "--heads", "2", "--hidden", "32", "--encoder-layers", "1",
            "--decoder-layers", "1",
            "--max-steps", "5", "--output", run + "/train", "--threads", "1", "--quiet",
        ]).run()
        try Capture.parse([
            "--model", run + "/train", "--tokens", run + "/tokens", "--families", "identity", "--attentions", "encoder",
            "decoder", "cross",
            "--output", run + "/capture", "--threads", "1", "--quiet",
        ]).run()
        for attention in ["encoder", "decoder", "cross"] {
            try Distill.parse([
                "--capture", run + "/capture", "--spec", "identity-one.\(attention)", "--epochs", "2", "--output",
                run + "/distill/\(attention)",
                "--threads", "1", "--quiet",
            ]).run()
        }
        let replacements = ["encoder", "decoder", "cross"].flatMap { ["--replacement", run + "/distill/\($0)"] }
        try SpliceCommand.parse(
            ["--model", run + "/train"] + replacements + ["--output", run + "/splice", "--threads", "1", "--quiet"]
        ).run()
        try Train.parse([
            "--tokens", run + "/tokens", "--model", run + "/splice", "--teacher", run + "/train", "--epochs", "2",
            "--output", run + "/inplace/all",
            "--threads", "1", "--quiet",
        ]).run()
        try Score.parse([
            "--model", run + "/inplace/all", "--tokens", run + "/tokens", "--output", run + "/score", "--threads", "1",
            "--quiet",
        ]).run()
        #expect(FileManager.default.fileExists(atPath: run + "/score/hypotheses.txt"))
        let spec = try Spec(parsing: "identity-one.cross.0")
        #expect(
            spec.family is IdentityFamily && Families.help.contains("identity")
                && Families.table.contains("identity heads encoder,decoder,cross one"))
    }
}
