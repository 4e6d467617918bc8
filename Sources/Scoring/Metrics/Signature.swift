/// The string that says how a score was computed, such as
/// `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`.
///
/// Source: Post 2018, section 5, in the field order of sacreBLEU 2.
package struct Signature: Equatable, Sendable, CustomStringConvertible {
    /// The version of sacreBLEU whose definitions are followed and whose results the tests compare with, digit for
    /// digit. Scores made here may be set beside scores made by that version, so the field says that version.
    package static let version = "2.6.0"

    /// References of each sentence.
    package var references = 1
    /// Bootstrap resamples, when the score has a confidence interval or was compared by them.
    package var bootstrap: Int?
    /// Trials of approximate randomisation, when the score was compared by them.
    package var randomization: Int?
    /// The seed of either.
    package var seed: UInt64?
    /// The metric's own fields.
    package var details: [Field]

    package struct Field: Equatable, Sendable {
        package var key: String
        package var value: String
    }

    init(details: KeyValuePairs<String, String>) {
        self.details = details.map { Field(key: $0.key, value: $0.value) }
    }

    /// All fields in the order in which they are written.
    package var fields: [Field] {
        var fields = [Field(key: "nrefs", value: String(references))]
        if let bootstrap { fields.append(Field(key: "bs", value: String(bootstrap))) }
        if let randomization { fields.append(Field(key: "ar", value: String(randomization))) }
        if let seed { fields.append(Field(key: "seed", value: String(seed))) }
        return fields + details + [Field(key: "version", value: Self.version)]
    }

    package var description: String { fields.map { "\($0.key):\($0.value)" }.joined(separator: "|") }
}
