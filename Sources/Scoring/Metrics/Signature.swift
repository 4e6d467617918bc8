/// The string that says how a score was computed, such as
/// `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`.
///
/// Source: Post 2018, section 5, in the field order of sacreBLEU 2.
public struct Signature: Equatable, Sendable, CustomStringConvertible {
    /// The version of sacreBLEU whose definitions are followed and whose results the tests compare with, digit for
    /// digit. Scores made here may be set beside scores made by that version, so the field says that version.
    public static let version = "2.6.0"

    /// Bootstrap resamples, when the score has a confidence interval or was compared by them.
    public var bootstrap: Int?
    /// Trials of approximate randomisation, when the score was compared by them.
    public var randomization: Int?
    /// The seed of either.
    public var seed: UInt64?
    /// The metric's own fields.
    public var details: [Field]

    public struct Field: Equatable, Sendable {
        public var key: String
        public var value: String
    }

    init(details: KeyValuePairs<String, String>) {
        self.details = details.map { Field(key: $0.key, value: $0.value) }
    }

    /// All fields in the order in which they are written.
    public var fields: [Field] {
        var fields = [Field(key: "nrefs", value: "1")]
        if let bootstrap { fields.append(Field(key: "bs", value: String(bootstrap))) }
        if let randomization { fields.append(Field(key: "ar", value: String(randomization))) }
        if let seed { fields.append(Field(key: "seed", value: String(seed))) }
        return fields + details + [Field(key: "version", value: Self.version)]
    }

    public var description: String { fields.map { "\($0.key):\($0.value)" }.joined(separator: "|") }
}
