import Corpus
import Foundation
import Kernels
import Models
import Tensors

/// What the manifest of every folder that holds a complete model says of it, beside whatever else its stage adds.
public struct ModelDescription: Codable, Equatable, Sendable {
    public var transformer: TransformerConfiguration
    /// Languages, such as `en` and `de`.
    public var source: String
    public var target: String
    /// One vocabulary for both.
    public var joint: Bool

    public init(transformer: TransformerConfiguration, source: String, target: String, joint: Bool) {
        self.transformer = transformer
        self.source = source
        self.target = target
        self.joint = joint
    }
}

/// A complete model as `train` and `splice` publish it: weights, shape and both vocabularies.
public final class ModelFolder {
    public static let stages = ["train", "splice"]
    public static let weightsName = "model.safetensors"

    /// The member of a manifest's configuration that describes the model.
    private struct Configuration: Codable { let model: ModelDescription }

    public let path: String
    public let stage: String
    public let description: ModelDescription
    public let model: Transformer
    public let weights: FloatBlock
    public let source: Vocabulary
    public let target: Vocabulary

    public init(path: String) throws {
        self.path = path
        let manifest = try Manifest<Configuration>.read(folder: path, stage: Self.stages[0], Self.stages[1])
        stage = manifest.stage
        description = manifest.configuration.model
        model = Transformer(description.transformer)
        weights = FloatBlock(model.layout.count)
        try WeightFile.read(TensorFile(path: (path as NSString).appendingPathComponent(Self.weightsName)), layout: model.layout, into: weights)
        source = try Vocabulary.load(folder: path, side: .source)
        target = description.joint ? source : try Vocabulary.load(folder: path, side: .target)
        guard source.count == description.transformer.sourceVocabulary, target.count == description.transformer.targetVocabulary else {
            throw DataError(
                path: path, expected: "vocabularies of \(description.transformer.sourceVocabulary) and \(description.transformer.targetVocabulary)",
                found: "\(source.count) and \(target.count)")
        }
    }

    /// Writes weights and vocabularies; the manifest remains to be published.
    public static func write(_ weights: FloatBlock, layout: ParameterLayout, vocabulariesFrom folder: String, to output: OutputFolder) throws {
        try WeightFile.write([("", weights)], layout: layout, to: output.path(weightsName))
        for name in Side.allCases.flatMap(Vocabulary.fileNames) {
            let from = (folder as NSString).appendingPathComponent(name)
            try FileSystem.writeAtomically(Data(contentsOf: URL(fileURLWithPath: from)), to: output.path(name))
        }
    }
}
