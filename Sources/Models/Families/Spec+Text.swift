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
    public var description: String { "\(family.name)-\(size).\(attention)" + (layer.map { ".\($0)" } ?? "") }

    public init?(_ description: String) {
        guard let spec = try? Spec(parsing: description) else { return nil }
        self = spec
    }

    public init(parsing text: String) throws {
        func fail(_ reason: String) -> SpecError { SpecError(text: text, reason: reason) }

        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard 2...3 ~= parts.count else {
            throw fail("expected <family>-<size>.<attention>[.<layer>], as in alr-m.encoder.3")
        }
        let network = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard network.count == 2 else { throw fail("expected <family>-<size> before the dot, as in alr-m") }
        guard let family = Families.named(network[0]) else {
            throw fail("family '\(network[0])' is none of \(Self.list(Families.all.map(\.name)))")
        }
        guard let attention = Attention(rawValue: String(parts[1])) else {
            throw fail("attention '\(parts[1])' is none of \(Self.list(Attention.allCases))")
        }
        var layer: Int?
        if parts.count == 3 {
            guard let number = Int(parts[2]), number >= 0, "\(number)" == parts[2] else {
                throw fail("layer '\(parts[2])' is not a number from 0")
            }
            layer = number
        }
        do {
            try self.init(family: family, size: String(network[1]), attention: attention, layer: layer)
        } catch let error as SpecError {
            throw fail(error.reason)
        }
    }
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
