/// How neighbouring French words change each other.
enum FrenchSpelling {
    /// Letters before which words are shortened. Every h in the phrasebook is mute.
    private static let vowels = Set("aâàeéèêëhiîïoôœuûù")

    static func beginsWithVowel(_ word: String) -> Bool { word.first.map { vowels.contains($0) } ?? false }

    private static let elided = [
        "le": "l'", "la": "l'", "de": "d'", "que": "qu'", "je": "j'", "ne": "n'", "me": "m'",
    ]
    private static let contracted = ["à le": "au", "à les": "aux", "de le": "du", "de les": "des"]

    /// Elision before a vowel (`l'homme`, `s'il`), then contraction of `à` and `de` with articles that are left (`au`,
    /// `des`).
    static func joined(_ words: [String]) -> [String] {
        var shortened: [String] = []
        for (index, word) in words.enumerated() {
            let next = index + 1 < words.count ? words[index + 1] : ""
            if beginsWithVowel(next), let short = elided[word] {
                shortened.append(short)
            } else {
                shortened.append(word == "si" && next == "il" ? "s'" : word)
            }
        }
        return shortened.reduce(into: []) { result, word in
            if let last = result.last, let joint = contracted["\(last) \(word)"] {
                result[result.count - 1] = joint
            } else {
                result.append(word)
            }
        }
    }
}
