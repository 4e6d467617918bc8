import Tensors

/// The weighted choices of `grammar.tsv`.
struct Choices: Sendable {
    private let values: [String: [(value: String, weight: Int)]]
    /// What can be added up.
    private static let weights = 1...1_000_000

    /// Every choice that the grammar makes, with the values that it understands.
    private static let known: [String: Set<String>] = [
        "sentence": ["plain", "question", "why", "report", "equal", "dependent", "fronted"],
        "clause": ["verb", "quality"],
        "subject": ["phrase", "I", "we", "he", "she"],
        "object": ["phrase", "me", "us", "him", "her"],
        "frame": ["intransitive", "transitive", "give"],
        "tense": Set(Tense.allCases.map(\.rawValue)),
        "negation": ["no", "yes"],
        "time": ["none", "first", "last"],
        "adjunct": ["no", "yes"],
        "relative": ["no", "subject", "object"],
        "possessor": ["no", "yes"],
        "number": ["singular", "plural"],
        "singular": ["the", "a", "my", "our", "this", "every"],
        "plural": ["the", "some", "my", "our", "this", "two", "three", "many"],
        "adjectives": ["none", "before", "after", "both"],
        "quality": ["plain", "very", "too", "than"],
    ]

    init(folder: String, through files: InputFiles) throws {
        var values: [String: [(String, Int)]] = [:]
        for row in try WordTable(folder, files, "grammar.tsv", columns: ["choice", "value", "weight"]).rows {
            guard Self.known[row["choice"]]?.contains(row["value"]) == true, let weight = Int(row["weight"]),
                Self.weights.contains(weight)
            else {
                throw DataError(
                    path: row.place,
                    expected: "a choice of the grammar and a weight from 1 to \(Self.weights.upperBound)",
                    found: "\(row["choice"]) \(row["value"]) \(row["weight"])")
            }
            values[row["choice"], default: []].append((row["value"], weight))
        }
        if let missing = Self.known.keys.sorted().first(where: { values[$0] == nil }) {
            throw DataError(path: folder + "/grammar.tsv", expected: "values for '\(missing)'", found: "none")
        }
        self.values = values
    }

    func value(_ choice: String, _ random: inout SplitMix64) -> String {
        let values = values[choice]!
        var rest = random.below(values.reduce(0) { $0 + $1.weight })
        return values.first {
            rest -= $0.weight; return rest < 0
        }!.value
    }
}
