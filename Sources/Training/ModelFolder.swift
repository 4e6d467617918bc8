import Corpus
import Foundation
import Kernels
import Models
import Tensors

/// What the manifest of every folder that holds a complete model says of it, beside whatever else its stage adds.
package struct ModelDescription: Codable, Equatable, Sendable {
    package var transformer: TransformerConfiguration
    /// Languages, such as `en` and `de`.
    package var source: String
    package var target: String
    /// One vocabulary for both.
    package var joint: Bool
    /// Networks in the place of attentions, each of one layer.
    package var replacements: [Spec]

    package init(
        transformer: TransformerConfiguration, source: String, target: String, joint: Bool, replacements: [Spec] = []
    ) {
        self.transformer = transformer
        self.source = source
        self.target = target
        self.joint = joint
        self.replacements = replacements
    }

    /// What stands in the place of attentions: `mix-l.encoder+mix-s.cross.0`, of whole stacks without their layers;
    /// empty of none.
    package var networks: String {
        let stacks = Dictionary(grouping: replacements, by: \.withoutLayer)
        return replacements.reduce(into: [String]()) { names, spec in
            let stack = spec.withoutLayer
            if stacks[stack]!.count < spec.attention.depth(transformer) {
                names.append(spec.description)
            } else if !names.contains(stack) {
                names.append(stack)
            }
        }.joined(separator: "+")
    }
}

/// A complete model as `train` and `splice` publish it: weights, shape and both vocabularies.
package final class ModelFolder {
    package static let stages = ["train", "splice"]
    package static let weightsName = "model.safetensors"

    /// The member of a manifest's configuration that describes the model.
    struct Configuration: Codable { let model: ModelDescription }

    package let path: String
    package let description: ModelDescription
    package let model: Transformer
    /// Those of the networks are zero until `loadNetworks`, which a translation model does without.
    package let weights: FloatBlock
    private let file: TensorFile
    let files: PublishedFolder<Configuration>
    package var publication: Publication { files.publication }
    package let source: Vocabulary
    package let target: Vocabulary

    package init(path: String) throws {
        self.path = path
        files = try PublishedFolder(path, stage: Self.stages[0], Self.stages[1])
        description = files.configuration.model
        if let problem = description.transformer.problem {
            throw DataError(
                path: ManifestFile.path(path), expected: "the shape of a model", found: problem, hint: "make it again")
        }
        do {
            model = Transformer(
                description.transformer, try Replacements(description.replacements, in: description.transformer))
        } catch let error as SpecError {
            throw DataError(
                path: ManifestFile.path(path), expected: "networks that fit the model", found: "\(error)",
                hint: "make it again")
        }
        file = try files.tensors(Self.weightsName)
        try WeightFile.check(file, model.layout.slots)  // before memory is taken for what may not be there
        weights = FloatBlock(model.layout.count)
        try WeightFile.read(file, .init(weights, model.slots(of: nil)))
        file.releasePages()
        source = try Vocabulary.load(path: files.file(Vocabulary.fileNames(.source)[0]))
        target = description.joint ? source : try Vocabulary.load(path: files.file(Vocabulary.fileNames(.target)[0]))
        guard source.count == description.transformer.sourceVocabulary,
            target.count == description.transformer.targetVocabulary
        else {
            let transformer = description.transformer
            throw DataError(
                path: path,
                expected: "vocabularies of \(transformer.sourceVocabulary) and \(transformer.targetVocabulary)",
                found: "\(source.count) and \(target.count)")
        }
    }

    /// Reads what stands in attentions' places, so that the whole model is there.
    package func loadNetworks() throws {
        for spec in model.replacements.specs { try load(spec) }
    }

    private func load(_ spec: Spec) throws {
        try WeightFile.read(file, .init(weights, model.slots(of: spec)))
        file.releasePages()
    }

    /// What this model has of another of the same shape: all that no other network stands for there, networks that it
    /// has already included.
    package func copyWeights(to block: FloatBlock, of other: Transformer) throws {
        let names = Set(model.layout.slots.map(\.name))
        try WeightFile.read(file, .init(block, other.layout.slots.filter { names.contains($0.name) }))
        file.releasePages()
    }

    /// Ids of another vocabulary mean nothing to the model.
    ///
    /// - Parameter maxTokens: whether sentences must also be no longer than the model's networks can see
    package func requireFit(_ tokens: TokenFolder, maxTokens: Bool) throws {
        let known = description.transformer, longest = tokens.configuration.maxTokens
        func text(_ source: Int, _ target: Int, _ most: Int) -> String {
            "\(source) source and \(target) target pieces" + (maxTokens ? ", at most \(most) tokens" : "")
        }
        guard tokens.source.count == known.sourceVocabulary, tokens.target.count == known.targetVocabulary,
            !maxTokens || longest <= known.maxTokens
        else {
            throw DataError(
                path: tokens.path, expected: text(known.sourceVocabulary, known.targetVocabulary, known.maxTokens),
                found: text(tokens.source.count, tokens.target.count, longest),
                hint: "give the --tokens that the model was trained on")
        }
        try requireVocabularies(of: tokens)
    }

    /// Numbers that the model consists of.
    package var parameters: Int { model.layout.parameters }

    /// The model laid out for translation; its networks are read from the file, one after another.
    package func translationModel(_ precision: TranslationPrecision = .float32) throws -> TranslationModel {
        try TranslationModel(model, weights: weights, precision: precision, prepare: load) { spec in
            for slot in model.slots(of: spec) { weights.discard(slot.range) }
        }
    }

    /// Writes weights and vocabularies; the manifest remains to be published.
    package static func write(
        _ model: Transformer, _ weights: FloatBlock, source: Vocabulary, target: Vocabulary, to output: OutputFolder
    ) throws {
        try WeightFile.write([.init(weights, model.slotsInFileOrder)], to: output.path(weightsName))
        try source.write(side: .source, to: output.path)
        try target.write(side: .target, to: output.path)
    }
}
