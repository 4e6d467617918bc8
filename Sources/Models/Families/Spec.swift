/// Which network stands for which attention, as one short text: `alr-m.encoder.3`.
///
///     spec = family "-" size "." attention [ "." layer ]
///
/// Without the layer it means every layer of the stack. The same text is the argument on the command line, the name of
/// the folder, the stem in Make and the key in the registry. How a size is written is the family's own matter.
package struct Spec: Sendable {
    package let family: any Family
    package let size: String
    package let attention: Attention
    package let layer: Int?

    package init(family: any Family, size: String, attention: Attention, layer: Int? = nil) throws {
        self.family = family
        self.size = size
        self.attention = attention
        self.layer = layer
        func fail(_ reason: String) -> SpecError { SpecError(text: description, reason: reason) }
        guard family.namedSizes.contains(size) || family.hasSize(size) else {
            throw fail("size '\(size)' is none of \(Self.list(family.namedSizes)), nor \(family.otherSizes)")
        }
        guard family.attentions.contains(attention) else {
            let others = Self.list(Families.at(attention).map(\.name))
            throw fail("\(family.name) stands at \(Self.list(family.attentions)) only; \(attention) takes \(others)")
        }
    }

    /// The same network for one layer.
    package func at(layer: Int) -> Spec { try! Spec(family: family, size: size, attention: attention, layer: layer) }

    /// One spec for each layer it covers.
    package func layers(of count: Int) throws -> [Spec] {
        guard let layer else { return (0..<count).map(at) }
        guard layer < count else {
            throw SpecError(text: description, reason: "the model has layers 0 to \(count - 1)")
        }
        return [self]
    }

    /// Both would stand at the same attention of some layer.
    package func overlaps(_ other: Spec) -> Bool {
        attention.captured == other.attention.captured && (layer == nil || other.layer == nil || layer == other.layer)
    }

    /// The network, whose parameters get their places in `layout`.
    package func network(_ shape: TeacherShape, _ layout: inout ParameterLayout) -> any DistillableNetwork {
        family.network(self, shape, &layout)
    }

    static func list<T>(_ items: [T]) -> String { items.map { "\($0)" }.joined(separator: " ") }
}

extension Spec: Hashable {
    package static func == (a: Spec, b: Spec) -> Bool {
        (a.family.name, a.size, a.attention, a.layer) == (b.family.name, b.size, b.attention, b.layer)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
