import Foundation
import Models
import Tensors
import Training

/// How well one layer's network does; kept in the metadata of its weights, so that a distillation that goes on knows
/// what it has finished.
struct LayerResult: Codable {
    let parameters: Int
    let epochs: Int
    /// Of the validation set; nil where it is empty, or where there is nothing to explain.
    let loss: Double?
    let explained: Double?
    let cosine: Double?

    init(_ trainee: DistillationTrainee, epochs: Int) {
        let validation = trainee.validationSentences == 0 ? nil : trainee.validate(epoch: epochs)
        parameters = trainee.layout.parameters
        self.epochs = epochs
        func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
        loss = finite(validation?.loss)
        explained = finite(validation?.metrics[MetricKey(.valid, .explained)])
        cosine = finite(validation?.metrics[MetricKey(.valid, .cosine)])
    }

    func save(_ trainee: DistillationTrainee, key: String, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys  // the same result is the same bytes
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try WeightFile.write(
            [.init(trainee.weights, trainee.layout.slots)], metadata: ["key": key, "result": text], to: path)
    }

    /// Nil where there is no file, or one made with other settings.
    static func load(_ path: String, key: String, _ trainee: DistillationTrainee) throws -> LayerResult? {
        guard FileSystem.exists(path) else { return nil }
        let file = try TensorFile(path: path)
        guard file.metadata["key"] == key, let text = file.metadata["result"] else { return nil }
        return try? JSONDecoder().decode(LayerResult.self, from: Data(text.utf8))  // what cannot be read is made again
    }
}
