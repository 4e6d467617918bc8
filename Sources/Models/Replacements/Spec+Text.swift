/// A spec that cannot be read or does not fit, with what would be right.
public struct SpecError: Error, CustomStringConvertible, Sendable {
    public let text: String
    public let reason: String
    /// What mends it, where that is not plain from the reason.
    public let hint: String?

    public init(text: String, reason: String, hint: String? = nil) {
        self.text = text
        self.reason = reason
        self.hint = hint
    }

    public var description: String { "'\(text)': \(reason)" }
}

extension Spec: CustomStringConvertible, LosslessStringConvertible {
    public var description: String { "\(mode)-\(size).\(attention)" + (layer.map { ".\($0)" } ?? "") }

    public init?(_ description: String) {
        guard let spec = try? Spec(parsing: description) else { return nil }
        self = spec
    }

    public init(parsing text: String) throws {
        func fail(_ reason: String) -> SpecError { SpecError(text: text, reason: reason) }

        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard 2...3 ~= parts.count else { throw fail("expected <mode>-<size>.<attention>[.<layer>], as in alr-m.encoder.3") }
        let network = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard network.count == 2 else { throw fail("expected <mode>-<size> before the dot, as in alr-m") }
        guard let mode = Mode(rawValue: String(network[0])) else {
            throw fail("mode '\(network[0])' is none of \(Self.list(Mode.allCases))")
        }
        guard let size = Size(network[1]) else {
            throw fail("size '\(network[1])' is none of \(Self.list(Size.named)), nor a width such as h96")
        }
        guard let attention = Attention(rawValue: String(parts[1])) else {
            throw fail("attention '\(parts[1])' is none of \(Self.list(Attention.allCases))")
        }
        guard parts.count == 3 else {
            self = try Spec(mode: mode, size: size, attention: attention)
            return
        }
        guard let layer = Int(parts[2]), layer >= 0, "\(layer)" == parts[2] else {
            throw fail("layer '\(parts[2])' is not a number from 0")
        }
        self = try Spec(mode: mode, size: size, attention: attention, layer: layer)
    }

    private static func list<T>(_ items: [T]) -> String { items.map { "\($0)" }.joined(separator: " ") }
}

extension Spec: Codable {
    public init(from decoder: Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Spec {
    /// Both would replace the same attention of some layer.
    public func overlaps(_ other: Spec) -> Bool {
        attention.captured == other.attention.captured && (layer == nil || other.layer == nil || layer == other.layer)
    }
}
