/// What of the Transformer a family stands in for, and with it what a network takes in and gives out:
///
///     span       takes in            gives out                         goes
///     heads      LayerNorm(x)        concatenated heads                projections to queries, keys and values
///     sublayer   x                   x + attention(LayerNorm(x))       the sublayer
///     layer      x                   the encoder layer's output        the layer, feed-forward sublayer included
///
/// `AttentionSublayer` puts a network in its place, `Transformer.activations` finds what it is to learn; nothing else
/// asks.
public enum Span: String, CaseIterable, Codable, Sendable {
    case heads, sublayer, layer
}

/// The numbers of a teacher that the shape of a network follows from.
public struct TeacherShape: Equatable, Sendable {
    /// d
    public let width: Int
    public let heads: Int
    /// S, the longest sentence of training
    public let maxTokens: Int

    public init(width: Int, heads: Int, maxTokens: Int) {
        self.width = width
        self.heads = heads
        self.maxTokens = maxTokens
    }

    /// d_h, the width of a head
    public var head: Int { width / heads }
}

extension TransformerConfiguration {
    public var shape: TeacherShape { TeacherShape(width: width, heads: heads, maxTokens: maxTokens) }
}
