import Corpus
import Foundation
import Models
import Tensors

/// What a capture holds; the configuration in its manifest.
public struct CaptureConfiguration: Codable, Equatable, Sendable {
    /// d
    public var width: Int
    public var heads: Int
    /// S
    public var maxTokens: Int
    /// F16 or F32.
    public var elementType: ElementType
    public var spans: [Span]
    public var attentions: [Attention]
    /// Layers captured, counted from 0 in either stack.
    public var layers: [Int]
    /// Layers of the teacher's stacks.
    public var encoderLayers: Int
    public var decoderLayers: Int

    public init(
        teacher: TransformerConfiguration, spans: [Span], attentions: [Attention], layers: [Int]?,
        elementType: ElementType
    ) throws {
        width = teacher.width
        heads = teacher.heads
        maxTokens = teacher.maxTokens
        encoderLayers = teacher.encoderLayers
        decoderLayers = teacher.decoderLayers
        self.elementType = elementType
        self.attentions = Attention.allCases.filter { attention in attentions.contains { $0.captured == attention } }
        self.spans = Span.allCases.filter(spans.contains)
        let depth = self.attentions.map { $0.depth(teacher) }.max() ?? 0
        self.layers = layers.map { Set($0).sorted() } ?? Array(0..<depth)
        if let beyond = self.layers.first(where: { $0 < 0 || $0 >= depth }) {
            throw SpecError(text: "layer \(beyond)", reason: "the model has layers 0 to \(depth - 1)")
        }
        guard !sites.isEmpty else {
            throw SpecError(
                text: spans.map(\.rawValue).joined(separator: " "),
                reason: "no family has such a span at these attentions")
        }
    }

    /// Every place captured, with each span that some family has there.
    public var sites: [CaptureSite] {
        attentions.flatMap { attention in
            spans.filter { span in Families.at(attention).contains { $0.span == span } }.flatMap { span in
                layers.filter { $0 < (attention == .encoder ? encoderLayers : decoderLayers) }
                    .map { CaptureSite(span: span, attention: attention, layer: $0) }
            }
        }
    }

    public var shape: TeacherShape { TeacherShape(width: width, heads: heads, maxTokens: maxTokens) }

    public var needsMemory: Bool { attentions.contains { $0.readsMemory } }
}

/// Where a site's activations are written.
extension CaptureSite {
    /// Tensors `input` and `output`, [tokens, d] each.
    public func fileName(_ split: Split) -> String {
        "\(split.rawValue).\(span.rawValue).\(attention.captured).\(layer).safetensors"
    }

    /// Tensors `source` and `target`: where each sentence starts, in tokens, and where the last one ends.
    public static func offsetsName(_ split: Split) -> String { "\(split.rawValue).offsets.safetensors" }
    /// Tensor `memory`, the encoder's output [source tokens, d].
    public static func memoryName(_ split: Split) -> String { "\(split.rawValue).memory.safetensors" }
}
