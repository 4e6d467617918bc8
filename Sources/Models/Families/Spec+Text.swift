/// A spec that cannot be read or does not fit, with what would be right.
package struct SpecError: Error, CustomStringConvertible, Sendable {
    package let text: String
    package let reason: String
    /// What mends it, where that is not plain from the reason.
    package let hint: String?

    package init(text: String, reason: String, hint: String? = nil) {
        self.text = text
        self.reason = reason
        self.hint = hint
    }

    package var description: String { "'\(text)': \(reason)" }
}

extension Spec: CustomStringConvertible, LosslessStringConvertible {
    package var description: String { withoutLayer + (layer.map { ".\($0)" } ?? "") }

    /// `alr-m.encoder`
    package var withoutLayer: String { "\(networkName).\(attention)" }

    /// `alr-m`
    package var networkName: String { "\(family.name)-\(size)" }

    package init?(_ description: String) {
        guard let spec = try? Spec(parsing: description) else { return nil }
        self = spec
    }

    package init(parsing text: String) throws {
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
    package init(from decoder: Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
