/// What a figure of a run is of. The registry keeps it as one text, which is composed and read back here alone:
///
///     [ "layer." layer "." ] [ split "." ] quantity [ "." position ]        as in layer.3.valid.cosine.12
package struct MetricKey: Hashable, Sendable {
    package enum Split: String, CaseIterable, Sendable {
        case train, valid
        /// Of the weights that a training ends with.
        case result
    }

    package enum Quantity: String, CaseIterable, Sendable {
        case loss
        /// The learning rate.
        case rate
        /// Negative log-likelihood of a target token, nats.
        case nll
        case bleu
        /// 1 - SSE / SST of an attention's output.
        case explained
        case cosine
        /// Numbers of a network.
        case parameters
        case tokens, bytes, warnings
        case tokensPerSecond = "tokens_per_second"
    }

    /// Of one layer's network, in a run that trains several.
    package var layer: Int?
    /// nil: of the run as a whole.
    package var split: Split?
    package var quantity: Quantity
    /// At one position of the sentence.
    package var position: Int?

    package init(_ split: Split? = nil, _ quantity: Quantity, position: Int? = nil, layer: Int? = nil) {
        self.layer = layer
        self.split = split
        self.quantity = quantity
        self.position = position
    }
}

extension MetricKey: LosslessStringConvertible {
    package var description: String {
        [layer.map { "layer.\($0)" }, split?.rawValue, quantity.rawValue, position.map(String.init)].compactMap { $0 }
            .joined(separator: ".")
    }

    package init?(_ text: String) {
        var parts = text.split(separator: ".", omittingEmptySubsequences: false)[...]
        var layer: Int?
        if parts.first == "layer" {
            guard parts.count > 1, let number = Int(parts[1]) else { return nil }
            layer = number
            parts = parts.dropFirst(2)
        }
        let split = parts.first.flatMap { Split(rawValue: String($0)) }
        if split != nil { parts = parts.dropFirst() }
        guard let first = parts.first, let quantity = Quantity(rawValue: String(first)) else { return nil }
        self.init(split, quantity, layer: layer)
        parts = parts.dropFirst()
        if let last = parts.first {
            guard let number = Int(last) else { return nil }
            position = number
        }
        guard parts.count <= 1, description == text else { return nil }
    }
}
