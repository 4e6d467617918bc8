/// Where the network stands and what it sees.
public enum Attention: String, CaseIterable, Codable, Sendable, CustomStringConvertible {
    /// Encoder self-attention: the whole sentence.
    case encoder
    /// Decoder self-attention: the target up to the position itself.
    case decoder
    /// Cross-attention: the whole source and the target up to the position itself.
    case cross
    /// Cross-attention as in the paper's code: the whole source and the whole target, the future included. It cannot
    /// be had at translation time, where the missing future is left out.
    case crossfull

    public var description: String { rawValue }
    /// Reads the encoder's output beside the target.
    public var readsMemory: Bool { self == .cross || self == .crossfull }
    /// One output for each prefix of the target, in place of one for the whole sentence.
    public var isCausal: Bool { self == .decoder || self == .cross }
    /// The attention whose activations it is distilled from.
    public var captured: Attention { self == .crossfull ? .cross : self }
    /// Layers of a model that have it.
    public func depth(_ configuration: TransformerConfiguration) -> Int {
        self == .encoder ? configuration.encoderLayers : configuration.decoderLayers
    }
}
