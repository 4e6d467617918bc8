/// Which network stands for which attention, as one short text: `alr-m.encoder.3`.
///
///     spec = mode "-" size "." attention [ "." layer ]
///
/// Without the layer it means every layer of the stack. The same text is the argument on the command line, the name of
/// the folder, the stem in Make and the key in the registry.
public struct Spec: Hashable, Sendable {
    public let mode: Mode
    public let size: Size
    public let attention: Attention
    public let layer: Int?

    public init(mode: Mode, size: Size, attention: Attention, layer: Int? = nil) throws {
        self.mode = mode
        self.size = size
        self.attention = attention
        self.layer = layer
        guard attention == .encoder || mode == .alr else {
            throw SpecError(text: description, reason: "\(mode) replaces encoder self-attention only; \(attention) takes alr")
        }
    }

    /// The same network for one layer.
    public func at(layer: Int) -> Spec { try! Spec(mode: mode, size: size, attention: attention, layer: layer) }

    /// One spec for each layer it covers.
    public func layers(of count: Int) throws -> [Spec] {
        guard let layer else { return (0..<count).map(at) }
        guard layer < count else {
            throw SpecError(text: description, reason: "the model has layers 0 to \(count - 1)")
        }
        return [self]
    }
}

/// What a network takes in and gives out (Bozic et al. 2024).
public enum Mode: String, CaseIterable, Codable, Sendable, CustomStringConvertible {
    /// Attention layer: normalised input to concatenated heads. LayerNorm, output projection and residual stay.
    case alr
    /// Attention layer with its residual: layer input to x + attention(LayerNorm(x)).
    case alrr
    /// Each head a network of its own, otherwise as `alr`.
    case aslr
    /// The whole encoder layer, feed-forward part included.
    case elr

    public var description: String { rawValue }

    /// The captures that it learns from.
    public var family: String {
        switch self {
        case .alr, .aslr: "heads"
        case .alrr: "residual"
        case .elr: "layer"
        }
    }
}

/// Hidden width, by the paper's names or as a number (`h96`).
public enum Size: Hashable, Sendable, CustomStringConvertible {
    case xs, s, m, l, xl
    case hidden(Int)

    private static let widest = 1 << 16

    /// Too few hidden numbers to lose any of them.
    public var isNarrow: Bool {
        switch self {
        case .xs, .s: true
        case .hidden(let width): width < 200
        default: false
        }
    }

    public static let named: [Size] = [.xs, .s, .m, .l, .xl]

    public init?(_ text: Substring) {
        if let size = Size.named.first(where: { $0.description == text }) {
            self = size
        } else if text.first == "h", let width = Int(text.dropFirst()), (1...Self.widest).contains(width), "h\(width)" == text {
            self = .hidden(width)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .xs: "xs"
        case .s: "s"
        case .m: "m"
        case .l: "l"
        case .xl: "xl"
        case .hidden(let width): "h\(width)"
        }
    }
}

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
}
