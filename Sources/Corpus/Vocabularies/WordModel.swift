import Tensors

/// Whole words as ids: after the three special ones by falling frequency, equals in order of their bytes.
struct WordModel: Sendable {
    private static let magic = "#words 1"

    let words: [String]
    let frequencies: [Int]
    let lowercase: Bool
    private let ids: [String: Int]

    var count: Int { words.count }

    private init(words: [String], frequencies: [Int], lowercase: Bool) {
        self.words = ["<unk>", "<s>", "</s>"] + words
        self.frequencies = [0, 0, 0] + frequencies
        self.lowercase = lowercase
        ids = Dictionary(zip(words, 3...)) { first, _ in first }
    }

    static func learn(from lines: [String], _ settings: VocabularySettings, name: String) throws -> WordModel {
        var frequencies: [String: Int] = [:]
        for line in lines {
            for token in WordTokens.split(settings.lowercase ? line.lowercased() : line) {
                frequencies[token, default: 0] += 1
            }
        }
        var entries = frequencies.filter { $0.value >= settings.minimumFrequency }
            .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        guard !entries.isEmpty else {
            throw DataError(
                path: name, expected: "words that occur \(settings.minimumFrequency) times or more", found: "none",
                hint: "give more text, or a lower --minimum-frequency")
        }
        if settings.size > 3 { entries = Array(entries.prefix(settings.size - 3)) }
        return WordModel(words: entries.map(\.key), frequencies: entries.map(\.value), lowercase: settings.lowercase)
    }

    func token(_ id: Int) -> String { words.indices.contains(id) ? words[id] : "" }

    func encode(_ text: String) -> [Int] {
        WordTokens.split(lowercase ? text.lowercased() : text).map { ids[$0] ?? Int(SpecialToken.unknown) }
    }

    func decode(_ ids: [Int]) -> String { WordTokens.join(ids.map { words[$0] }) }
}

// MARK: - File

extension WordModel {
    /// A heading, then `word<tab>frequency` lines in the order of the ids.
    var text: String { "\(Self.magic) lowercase=\(lowercase)\n" + listing }

    var listing: String { zip(words, frequencies).map { "\($0)\t\($1)\n" }.joined() }

    static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic.utf8) }

    init(_ bytes: [UInt8], path: String) throws {
        let lines = try TextLines.split(bytes, path: path)
        var words: [String] = []
        var frequencies: [Int] = []
        for (index, line) in lines.enumerated().dropFirst(4) {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 2, let frequency = Int(columns[1]) else {
                throw DataError(path: "\(path):\(index + 1)", expected: "word, tab, frequency", found: line)
            }
            words.append(String(columns[0]))
            frequencies.append(frequency)
        }
        guard lines.count >= 4, Set(words).count == words.count else {
            throw DataError(path: path, expected: "a list of distinct words", found: "\(words.count) with repetitions")
        }
        self.init(words: words, frequencies: frequencies, lowercase: lines[0].hasSuffix("lowercase=true"))
    }
}
