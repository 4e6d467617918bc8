import CKernels
import Kernels

/// A replacement that maps whole sentences of the encoder to whole sentences.
final class SentenceNetwork: SentenceMap {
    private let networks: [BoundNetwork]
    private let shape: ReplacementShape

    init(_ replacement: Replacement, _ weights: FloatBlock) {
        shape = replacement.shape
        networks = replacement.networks.map { [shape] in BoundNetwork($0, shape, weights) }
    }

    var maximumTokens: Int? { shape.maxTokens }

    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace) {
        let order = PositionMajor(sentences, limit: shape.maxTokens)
        for (index, network) in networks.enumerated() {
            let mark = space.mark
            let sums = SentenceSums(network, x, sentences, order, space)
            let hidden = network.activate(sums.products, sum: sums.sum, square: sums.square, space)
            put(network, hidden, sentences, order, into: y.columns(index * shape.outputWidth..<(index + 1) * shape.outputWidth), space)
            space.release(to: mark)
        }
    }

    /// The outputs of each position that a sentence has, at their tokens.
    private func put(_ network: BoundNetwork, _ hidden: Matrix, _ sentences: Packed, _ order: PositionMajor, into y: Matrix, _ space: Workspace) {
        let out = space.matrix(order.sentences, y.columns)
        for position in 0..<order.positions {
            let rows = out.rows(0..<order.count(position))
            network.second[position](hidden.rows(0..<rows.rows), into: rows)
            for row in 0..<rows.rows { y.row(sentences.offsets[order.order[row]] + position).update(from: rows.row(row), count: y.columns) }
        }
    }
}

extension AttentionReplacements {
    /// Puts a network in the place that its spec names, layer included.
    public mutating func put(_ replacement: Replacement, _ weights: FloatBlock) {
        guard let layer = replacement.spec.layer else { fatalError("\(replacement.spec) does not say which layer") }
        switch replacement.spec.attention {
        case .encoder: encoder[layer] = .init(replacement, weights)
        case .decoder: decoder[layer] = StepNetwork(replacement, weights)
        case .cross, .crossfull: cross[layer] = StepNetwork(replacement, weights)
        }
    }
}

extension EncoderReplacement {
    init(_ replacement: Replacement, _ weights: FloatBlock) {
        let network = SentenceNetwork(replacement, weights)
        switch replacement.spec.mode {
        case .alr, .aslr: self = .context(network)
        case .alrr: self = .sublayer(network)
        case .elr: self = .layer(network)
        }
    }
}
