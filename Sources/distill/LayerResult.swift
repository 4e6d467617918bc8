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

    init(_ trainee: DistillationTrainee, epochs: Int) throws {
        let validation = trainee.validationSentences == 0 ? nil : try trainee.validate(epoch: nil)
        parameters = trainee.layout.parameters
        self.epochs = epochs
        func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
        loss = finite(validation?.loss)
        explained = finite(validation?.metrics[MetricKey(.valid, .explained)])
        cosine = finite(validation?.metrics[MetricKey(.valid, .cosine)])
    }

    func save(_ trainee: DistillationTrainee, to folder: OutputFolder, layer: Int, key: String) throws {
        let path = try Self.path(folder, layer), encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys  // the same result is the same bytes
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try WeightFile.write(
            [.init(trainee.weights, trainee.layout.slots)], metadata: ["key": "\(key).\(layer)", "result": text],
            to: path)
        try FileSystem.writeAtomically(Data(FileSystem.sha256(of: path).utf8), to: Self.record(path))
    }

    private static func path(_ folder: OutputFolder, _ layer: Int) throws -> String {
        try folder.temporaryPath(DistillConfiguration.weightsName(layer: layer))
    }

    /// Until the folder is published, the weights' SHA-256 stands beside them.
    private static func record(_ path: String) -> String { path + ".sha256" }

    /// Nil where there is no file, one made with other settings, or one that is not what was written.
    static func load(from folder: OutputFolder, layer: Int, key: String) throws -> LayerResult? {
        let path = try path(folder, layer)
        guard FileSystem.exists(path), let recorded = try? FileSystem.read(record(path)),
            try FileSystem.sha256(of: path) == String(decoding: recorded, as: UTF8.self)
        else { return nil }
        let file = try TensorFile(path: path)
        guard file.metadata["key"] == "\(key).\(layer)", let text = file.metadata["result"] else { return nil }
        return try? JSONDecoder().decode(LayerResult.self, from: Data(text.utf8))  // what cannot be read is made again
    }

    /// That of a layer whose weights are there, to be published with the folder.
    static func made(in folder: OutputFolder, layer: Int, key: String) throws -> LayerResult {
        let path = try folder.path(DistillConfiguration.weightsName(layer: layer))
        guard let result = try load(from: folder, layer: layer, key: key) else {
            throw DataError(
                path: path, expected: "the weights that a process of this run has written", found: "none of this run",
                hint: "give the processes an --output that all of them see")
        }
        return result
    }
}
