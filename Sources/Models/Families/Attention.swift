/// Where the network stands and what it sees.
package enum Attention: String, CaseIterable, Codable, Sendable, CustomStringConvertible {
    /// Encoder self-attention: the whole sentence.
    case encoder
    /// Decoder self-attention: the target up to the position itself.
    case decoder
    /// Cross-attention: the whole source and the target up to the position itself.
    case cross
    /// Cross-attention as in the paper's code: the whole source and the whole target, the future included. It cannot
    /// be had at translation time, where the missing future is left out.
    case crossfull

    package var description: String { rawValue }
    /// Reads the encoder's output beside the target.
    package var readsMemory: Bool { self == .cross || self == .crossfull }
    /// One output for each prefix of the target, in place of one for the whole sentence.
    package var isCausal: Bool { self == .decoder || self == .cross }
    /// The attention whose activations it is distilled from.
    package var captured: Attention { self == .crossfull ? .cross : self }
    /// Layers of a model that have it.
    package func depth(_ configuration: TransformerConfiguration) -> Int {
        self == .encoder ? configuration.encoderLayers : configuration.decoderLayers
    }
}
