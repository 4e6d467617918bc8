import Corpus
import Kernels
import Models
import Tensors

extension CaptureConfiguration {
    /// What is captured from a model some of whose attentions may have been replaced.
    ///
    /// - Parameters:
    ///   - path: where the model is, for errors
    ///   - layers: at which every chosen attention must still be there; if nil, all layers at which it is so
    /// - Throws: `SpecError` for what no model of this shape has, `DataError` for what this one has no more
    package init(
        of model: ModelDescription, at path: String, spans: [Span], attentions: [Attention], layers: [Int]?,
        elementType: ElementType
    ) throws {
        try self.init(
            teacher: model.transformer, spans: spans, attentions: attentions, layers: layers, elementType: elementType)
        let gone = Set(model.replacements.map(\.place)), replaced = points.map(\.place).filter(gone.contains)
        let left = self.layers.filter { layer in !replaced.contains { $0.layer == layer } }
        guard replaced.isEmpty || (layers == nil && !left.isEmpty) else {
            throw DataError(
                path: path, expected: "attentions that are still there",
                found: "\(Self.list(replaced)) replaced by networks", hint: Self.hint(left))
        }
        self.layers = left
        try requirePoints()
    }

    private static func list(_ places: [Place]) -> String {
        var seen: Set<Place> = []
        return places.filter { seen.insert($0).inserted }.map { "\($0.attention).\($0.layer)" }.joined(separator: " ")
    }

    private static func hint(_ left: [Int]) -> String {
        left.isEmpty
            ? "choose other --attentions, or capture from the model that it was spliced from"
            : "--layers \(left.map(String.init).joined(separator: " ")): there at each chosen attention"
    }
}

/// One attention of one layer.
private struct Place: Hashable {
    let attention: Attention
    let layer: Int
}

extension Spec {
    /// Of a spec of one layer.
    fileprivate var place: Place { Place(attention: attention.captured, layer: layer!) }
}

extension CapturePoint {
    fileprivate var place: Place { Place(attention: attention, layer: layer) }
}

extension ActivationCapture {
    package convenience init(of model: ModelFolder, _ configuration: CaptureConfiguration, pool: WorkerPool) throws {
        try model.loadNetworks()
        self.init(model.model, weights: model.weights, configuration, pool: pool)
    }
}
