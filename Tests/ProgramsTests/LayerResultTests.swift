import Foundation
import Tensors
import Testing

@testable import distill

/// What `distill` knows of a layer that it has finished.
@Suite struct LayerResultTests {
    @Test func whatIsFinishedIsKnownByItsKey() throws {
        let run = try TinyRun(layers: 2)
        try run.capture("mix", at: "encoder")
        try run.distill("mix-k4.encoder")
        let path = run.path + "/distill/mix-k4.encoder/layer-1.safetensors", file = try TensorFile(path: path)
        let key = try #require(file.metadata["key"]), text = try #require(file.metadata["result"])
        let result = try JSONDecoder().decode(LayerResult.self, from: Data(text.utf8))
        #expect(key.hasSuffix(".1"))
        #expect(result.epochs == 2)
        #expect(result.parameters == file.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
        #expect(result.loss.map { $0 > 0 } == true && result.explained.map { $0 <= 1 } == true)
        #expect(result.cosine.map { (-1...1).contains($0) } == true)
    }
}
