import Corpus
import Foundation
import Models
import Tensors

/// A sentence of which there are maps, with its tokens as the vocabularies write them.
package struct MappedSentence: Codable, Equatable, Sendable {
    /// In the split's text, from 1.
    package let line: Int
    package let source: [String]
    /// What the decoder reads: `<s>`, then the reference.
    package let target: [String]

    /// What the decoder is to say at each place: the reference, then `</s>`.
    package var next: [String] { target.dropFirst() + ["</s>"] }
}

/// For some sentences, what each place of a model owes to which token (`Influence.swift`), and the weights of places
/// that are attention, as a score folder has them.
package struct SentenceMaps {
    package static let sentencesName = "maps.json"
    package static let tensorsName = "maps.safetensors"
    /// Most tokens of a side, `<s>` included: more cannot be read in a figure.
    static let longest = 20

    enum Kind: String {
        case influence, attention
    }

    package let sentences: [MappedSentence]
    private let file: TensorFile

    /// Of a score's folder; nil where it has none.
    package init?<Configuration>(_ folder: PublishedFolder<Configuration>) throws {
        guard folder.sha256(Self.sentencesName) != nil else { return nil }
        sentences = try JSONText.decode(
            [MappedSentence].self, path: folder.file(Self.sentencesName), expected: "sentences with their tokens")
        file = try folder.tensors(Self.tensorsName)
    }

    /// The numbers of sentences of different length: of those that are short enough to be drawn and to be seen by all
    /// of a model, in the order of the source's length, those in the middle of `count` equal parts.
    package static func choose(_ count: Int, of shard: TokenShard, maxTokens: Int) -> [Int] {
        let most = min(longest, maxTokens)
        let order = (0..<shard.count).filter {
            (1...most).contains(shard.source.length($0)) && (1..<most).contains(shard.target.length($0))
        }.sorted { (shard.source.length($0), $0) < (shard.source.length($1), $1) }
        guard count < order.count else { return order }
        return (0..<count).map { order[(2 * $0 + 1) * order.count / (2 * count)] }
    }

    package func influence(_ sentence: Int, _ attention: Attention, _ layer: Int) throws -> PlaceMap? {
        try map(.influence, sentence, attention, layer)
    }

    package func attentionWeights(_ sentence: Int, _ attention: Attention, _ layer: Int) throws -> PlaceMap? {
        try map(.attention, sentence, attention, layer)
    }

    private func map(_ kind: Kind, _ sentence: Int, _ attention: Attention, _ layer: Int) throws -> PlaceMap? {
        let name = Self.name(kind, sentence, attention, layer)
        guard file.contains(name) else { return nil }
        let shape = try file.info(name).shape, expected = Self.shape(sentences[sentence], attention)
        guard shape == expected else {
            throw DataError(path: file.path, expected: "'\(name)' \(expected)", found: "\(shape)")
        }
        return PlaceMap(outputs: shape[0], read: shape[1], values: try file.floats(name))
    }

    /// `0.cross.3.influence`
    private static func name(_ kind: Kind, _ sentence: Int, _ attention: Attention, _ layer: Int) -> String {
        "\(sentence).\(attention).\(layer).\(kind)"
    }

    private static func shape(_ sentence: MappedSentence, _ attention: Attention) -> [Int] {
        let source = sentence.source.count, target = sentence.target.count
        switch attention {
        case .encoder: return [source, source]
        case .decoder: return [target, target]
        case .cross, .crossfull: return [target, source]
        }
    }
}

extension SentenceMaps {
    /// Runs a model over sentences of a shard, teacher-forced, and writes both files.
    ///
    /// - Parameter stop: asked before each sentence; throws what ends the work
    package static func write(
        _ numbers: [Int], of shard: TokenShard, _ folder: ModelFolder, to output: OutputFolder, stop: () throws -> Void
    ) throws {
        let pass = TransformerPass(folder.model, weights: folder.weights, mapsAttention: true)
        var sentences: [MappedSentence] = [], maps: [(name: String, map: PlaceMap)] = []
        for (index, number) in numbers.enumerated() {
            try stop()
            let (source, target) = (shard.source[number], shard.target[number])
            sentences.append(
                MappedSentence(
                    line: number + 1, source: source.map { folder.source.token(Int($0)) },
                    target: ([SpecialToken.start] + target).map { folder.target.token(Int($0)) }))
            var batch = PairBatch()
            batch.append(source: source, target: target)
            _ = pass.run(batch)
            for attention in [Attention.encoder, .decoder, .cross] {
                for layer in 0..<attention.depth(folder.model.configuration) {
                    maps.append((name(.influence, index, attention, layer), pass.influence(attention, layer)))
                    if let weights = pass.attentionWeights(attention, layer) {
                        maps.append((name(.attention, index, attention, layer), weights))
                    }
                }
            }
        }
        try FileSystem.writeAtomically(
            try JSONText.encode(sentences) + Data("\n".utf8), to: output.path(sentencesName))
        let writer = try TensorFileWriter(
            path: output.path(tensorsName), tensors: maps.map { ($0.name, .f32, [$0.map.outputs, $0.map.read]) })
        for (name, map) in maps { try writer.write(name, map.values) }
        try writer.finish()
    }
}
