/// What of the Transformer a family stands in for, and with it what a network takes in and gives out:
///
///     span       takes in            gives out                         goes
///     heads      LayerNorm(x)        concatenated heads                projections to queries, keys and values
///     sublayer   x                   x + attention(LayerNorm(x))       the sublayer
///     layer      x                   the encoder layer's output        the layer, feed-forward sublayer included
///
/// `AttentionSublayer` and `EncoderLayer` put a network in its place, `TransformerTrace.activations` finds what it is
/// to learn.
package enum Span: String, CaseIterable, Codable, Sendable {
    case heads, sublayer, layer
}

/// The numbers of a teacher that the shape of a network follows from.
package struct TeacherShape: Equatable, Sendable {
    /// d
    package let width: Int
    package let heads: Int
    /// S, the longest sentence of training
    package let maxTokens: Int

    package init(width: Int, heads: Int, maxTokens: Int) {
        self.width = width
        self.heads = heads
        self.maxTokens = maxTokens
    }

    /// d_h, the width of a head
    package var headWidth: Int { width / heads }
}

extension TransformerConfiguration {
    package var shape: TeacherShape { TeacherShape(width: width, heads: heads, maxTokens: maxTokens) }
}
