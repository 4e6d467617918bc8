import Foundation
import Kernels
import Tensors
import Testing

@testable import Models

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

    func network(_ spec: Spec, _ shape: TeacherShape, _ layout: inout ParameterLayout) -> any DistillableNetwork {
        IdentityNetwork(gain: layout.add("gain", [shape.width], .constant(1)), isInEncoder: spec.attention == .encoder)
    }
}

private struct IdentityNetwork: DistillableNetwork {
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
        let run = try TinyRun(layers: 1), specs = ["encoder", "decoder", "cross"].map { "identity-one.\($0)" }
        try run.capture("identity", at: "encoder", "decoder", "cross")
        for spec in specs { try run.distill(spec) }
        try run.splice(specs)
        try run.train(
            "--model", run.path + "/splice", "--teacher", run.path + "/train", "--epochs", "2", to: "inplace/all")
        try run.score("inplace/all", to: "score")
        #expect(FileManager.default.fileExists(atPath: run.path + "/score/hypotheses.txt"))
        let file = try TensorFile(path: run.path + "/splice/model.safetensors")
        for place in ["encoder.0.attention", "decoder.0.attention", "decoder.0.cross"] {
            #expect(file.tensors.contains { $0.name.hasPrefix("\(place).network.") }, "\(place)")
        }
        let spec = try Spec(parsing: "identity-one.cross.0")
        #expect(
            spec.family is IdentityFamily && Families.help.contains("identity")
                && Families.table.contains("identity heads encoder,decoder,cross one"))
    }
}
