/// How large a mixer is: `k32r64`, `k24r32v32`, `k48d12`.
struct MixerSize: Equatable, CustomStringConvertible {
    /// K: hidden units of the sentence's perceptron, for each head
    var slots: Int
    /// r: hidden units of the networks that make pooling and reading weights; nil: they are linear. Of `mix`.
    var hidden: Int?
    /// Numbers of a head's queries and pooled keys. Of `slots`, nil for `mix`.
    var key: Int?
    /// Rank of the values; nil: full.
    var rank: Int?

    static let most = 4096

    /// - Parameter hasKeys: whether it is of family `slots`
    init?(_ text: String, hasKeys: Bool) {
        var rest = text[...]
        func number(_ letter: Character) -> Int? {
            guard rest.first == letter else { return nil }
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard let value = Int(digits), (1...Self.most).contains(value), "\(value)" == digits else { return nil }
            rest = rest.dropFirst(1 + digits.count)
            return value
        }
        guard let slots = number("k") else { return nil }
        self.slots = slots
        if hasKeys {
            guard let key = number("d") else { return nil }
            self.key = key
        } else {
            hidden = number("r")
        }
        rank = number("v")
        guard rest.isEmpty, description == text else { return nil }
    }

    var description: String {
        [("k", slots), ("r", hidden), ("d", key), ("v", rank)].map { letter, value in
            value.map { "\(letter)\($0)" } ?? ""
        }.joined()
    }
}
