import Corpus
import Foundation
import Models
import Tensors

/// What a capture holds; the configuration in its manifest.
package struct CaptureConfiguration: Codable, Equatable, Sendable {
    /// d
    package var width: Int
    package var heads: Int
    /// S
    package var maxTokens: Int
    /// F16 or F32.
    package var elementType: ElementType
    package var spans: [Span]
    package var attentions: [Attention]
    /// Layers captured, counted from 0 in either stack.
    package var layers: [Int]
    /// Layers of the teacher's stacks.
    package var encoderLayers: Int
    package var decoderLayers: Int

    package init(
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
        try requirePoints()
    }

    /// Every attention that was chosen is captured somewhere.
    func requirePoints() throws {
        for attention in attentions where !points.contains(where: { $0.attention == attention }) {
            throw SpecError(
                text: attention.rawValue,
                reason: spans.contains { span in Families.at(attention).contains { $0.span == span } }
                    ? "it has none of layers \(layers.map(String.init).joined(separator: " "))"
                    : "no family of span \(spans.map(\.rawValue).joined(separator: " ")) stands there")
        }
    }

    /// Every place captured, with each span that some family has there.
    package var points: [CapturePoint] {
        attentions.flatMap { attention in
            spans.filter { span in Families.at(attention).contains { $0.span == span } }.flatMap { span in
                layers.filter { $0 < (attention == .encoder ? encoderLayers : decoderLayers) }
                    .map { CapturePoint(span: span, attention: attention, layer: $0) }
            }
        }
    }

    package var shape: TeacherShape { TeacherShape(width: width, heads: heads, maxTokens: maxTokens) }

    package var needsMemory: Bool { attentions.contains { $0.readsMemory } }
}

/// Where the activations of a point are written.
extension CapturePoint {
    /// Tensors `input` and `output`, [tokens, d] each.
    package func fileName(_ split: Split) -> String {
        "\(split.rawValue).\(span.rawValue).\(attention.captured).\(layer).safetensors"
    }

    /// Tensors `source` and `target`: where each sentence starts, in tokens, and where the last one ends.
    package static func offsetsName(_ split: Split) -> String { "\(split.rawValue).offsets.safetensors" }
    /// Tensor `memory`, the encoder's output [source tokens, d].
    package static func memoryName(_ split: Split) -> String { "\(split.rawValue).memory.safetensors" }
}
