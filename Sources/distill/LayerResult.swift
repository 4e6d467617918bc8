import Foundation
import Models
import Tensors
import Training

/// How well one layer's network does; kept in the metadata of its weights, so that a distillation that goes on knows what
/// it has finished.
struct LayerResult: Codable {
    let parameters: Int
    let epochs: Int
    let loss: Double
    let explained: Double
    let cosine: Double

    init(_ trainee: DistillationTrainee, epochs: Int) {
        let validation = trainee.validate(epoch: epochs)
        parameters = trainee.layout.parameters
        self.epochs = epochs
        loss = validation.loss
        explained = validation.metrics[MetricKey(.valid, .explained)] ?? 0
        cosine = validation.metrics[MetricKey(.valid, .cosine)] ?? 0
    }

    func save(_ trainee: DistillationTrainee, key: String, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys // the same result is the same bytes
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try WeightFile.write([.init(trainee.weights, trainee.layout.slots)], metadata: ["key": key, "result": text], to: path)
    }

    /// Nil where there is no file, or one made with other settings.
    static func load(_ path: String, key: String, _ trainee: DistillationTrainee) throws -> LayerResult? {
        guard FileSystem.exists(path) else { return nil }
        let file = try TensorFile(path: path)
        guard file.metadata["key"] == key, let text = file.metadata["result"] else { return nil }
        return try JSONDecoder().decode(LayerResult.self, from: Data(text.utf8))
    }
}
