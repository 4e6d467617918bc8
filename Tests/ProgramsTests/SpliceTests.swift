import Foundation
import Models
import Tensors
import Testing
import Training

/// What `splice` makes of distilled folders, told by the weights that the files hold.
@Suite struct SpliceTests {
    private static let specs = ["mix-k4.encoder", "slots-k4d2.decoder", "mix-k4.cross", "alr-h6.encoder"]

    /// A teacher of three layers, and networks for all attentions of it.
    private static let run = Result {
        let run = try TinyRun(layers: 3)
        try run.capture("mix", "slots", "alr", at: "encoder", "decoder", "cross")
        for spec in specs { try run.distill(spec) }
        return run
    }

    private func weights(_ file: String) throws -> [String: [Float]] {
        let file = try TensorFile(path: try Self.run.get().path + "/" + file)
        return Dictionary(uniqueKeysWithValues: try file.tensors.map { ($0.name, try file.floats($0.name)) })
    }

    private func model(_ folder: String) throws -> [String: [Float]] { try weights(folder + "/model.safetensors") }

    @Test(arguments: specs) func networkOfALayerLandsAtThatLayer(spec: String) throws {
        let run = try Self.run.get(), name = "splice/" + spec
        try run.splice([spec], to: name)
        let spliced = try model(name), teacher = try model("train")
        let place = try Spec(parsing: spec).attention == .cross ? "cross" : "attention"
        let stack = spec.hasSuffix("encoder") ? "encoder" : "decoder"
        var ofNetworks: Set<String> = []
        for layer in 0..<3 {
            let network = try weights("distill/\(spec)/layer-\(layer).safetensors")
            let others = try weights("distill/\(spec)/layer-\((layer + 1) % 3).safetensors")
            let differ = network != others
            #expect(differ, "layers that are alike would prove nothing")
            for (tensor, values) in network {
                let name = "\(stack).\(layer).\(place).network.\(tensor)", isThere = spliced[name] == values
                #expect(isThere, "\(name)")
                ofNetworks.insert(name)
            }
        }
        // all that is not a network's is the teacher's
        for (name, values) in spliced where !ofNetworks.contains(name) {
            let isTheTeachers = teacher[name] == values
            #expect(isTheTeachers, "\(name)")
        }
        #expect(teacher.keys.contains { !spliced.keys.contains($0) }, "the attention's own projections are gone")
    }

    @Test func chosenLayersAloneAreReplaced() throws {
        let run = try Self.run.get(), spec = "mix-k4.encoder"
        try run.splice([spec], "--layers", "0", "--layers", "2", to: "splice/two")
        let spliced = try model("splice/two"), teacher = try model("train")
        let network = try weights("distill/\(spec)/layer-2.safetensors")
        #expect(network.allSatisfy { spliced["encoder.2.attention.network.\($0)"] == $1 })
        let kept = teacher.keys.filter { $0.hasPrefix("encoder.1.attention.") }
        #expect(!kept.isEmpty && kept.allSatisfy { spliced[$0] == teacher[$0] })
    }

    /// Each has a name of its own in the lineage: a network of one layer is not called by the name of all.
    @Test func networksOfOneLayerEachAreBothNamed() throws {
        let run = try Self.run.get(), spec = "mix-k4.encoder"
        try run.splice([spec], "--layers", "1", to: "splice/one")
        let inputs = try ModelFolder(path: run.path + "/splice/one").publication.inputs
        #expect(inputs["replacement.\(spec).1"] != nil && inputs["replacement.\(spec)"] == nil)
        try run.splice([spec], to: "splice/all")
        #expect(try ModelFolder(path: run.path + "/splice/all").publication.inputs["replacement.\(spec)"] != nil)
    }

    /// What somebody has written into a manifest is an error, never a crash, and nothing of the weights is passed over.
    @Test(arguments: [
        ("mix-k4.encoder.0", "mix-k4.encoder", "names no layer"),
        ("\"encoderLayers\" : 3", "\"encoderLayers\" : 2", "another, "),
    ])
    func aManifestOfAnotherModelIsRefused(_ old: String, _ new: String, _ found: String) throws {
        let run = try Self.run.get(), folder = "splice/edited.\(found.count)"  // cases run side by side
        try run.splice(["mix-k4.encoder"], "--layers", "0", to: folder)
        let path = run.path + "/\(folder)/manifest.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: DataError.self) { try ModelFolder(path: run.path + "/" + folder) }
        #expect(error?.description.contains(found) == true)
    }

    @Test func twoNetworksForOnePlaceAreRefused() throws {
        let run = try Self.run.get()
        #expect(throws: SpecError.self) { try run.splice(["mix-k4.encoder", "alr-h6.encoder"], to: "splice/both") }
        #expect(throws: SpecError.self) { try run.splice(["mix-k4.encoder"], "--layers", "3", to: "splice/none") }
    }

    @Test func networksOfAnotherTeacherAreRefused() throws {
        let run = try Self.run.get()
        try run.teacher(layers: 3, steps: 3, to: "another")
        let error = #expect(throws: DataError.self) {
            try run.splice(["mix-k4.encoder"], into: "another", to: "splice/another")
        }
        #expect(error?.description.contains("distilled from the teacher of") == true)
    }
}
