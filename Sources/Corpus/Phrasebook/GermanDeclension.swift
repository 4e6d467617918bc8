/// The forms of a German noun phrase in one case.
struct GermanDeclension {
    let determiner: String
    /// The ending of its adjectives, after the stem.
    let adjectiveEnding: String
    let noun: String

    private enum Strength { case weak, mixed, strong }

    /// Masculine, feminine, neuter, plural: the columns of every paradigm below.
    private static func column(_ phrase: NounPhrase) -> Int {
        if phrase.isPlural { return 3 }
        return switch phrase.noun.german.gender {
        case .masculine: 0
        case .feminine: 1
        case .neuter: 2
        }
    }

    private typealias Paradigm = [Case: [String]]

    private static let definite: Paradigm = [
        .nominative: ["der", "die", "das", "die"], .accusative: ["den", "die", "das", "die"],
        .dative: ["dem", "der", "dem", "den"], .genitive: ["des", "der", "des", "der"],
    ]
    /// After `dies`, `jed`.
    private static let strong: Paradigm = [
        .nominative: ["er", "e", "es", "e"], .accusative: ["en", "e", "es", "e"],
        .dative: ["em", "er", "em", "en"], .genitive: ["es", "er", "es", "er"],
    ]
    /// After `ein`, `kein`, `mein`, `unser`.
    private static let mixed: Paradigm = [
        .nominative: ["", "e", "", "e"], .accusative: ["en", "e", "", "e"],
        .dative: ["em", "er", "em", "en"], .genitive: ["es", "er", "es", "er"],
    ]
    private static let weakAdjective: Paradigm = [
        .nominative: ["e", "e", "e", "en"], .accusative: ["en", "e", "e", "en"],
        .dative: ["en", "en", "en", "en"], .genitive: ["en", "en", "en", "en"],
    ]
    private static let mixedAdjective: Paradigm = [
        .nominative: ["er", "e", "es", "en"], .accusative: ["en", "e", "es", "en"],
        .dative: ["en", "en", "en", "en"], .genitive: ["en", "en", "en", "en"],
    ]

    init(_ phrase: NounPhrase, _ grammaticalCase: Case, isNegated: Bool) {
        let column = Self.column(phrase)
        let strength: Strength
        // What somebody owns is definite, and its article is the owner's genitive after it.
        switch phrase.possessor == nil ? phrase.determiner : .the {
        case .the: (determiner, strength) = (Self.definite[grammaticalCase]![column], .weak)
        case .this: (determiner, strength) = ("dies" + Self.strong[grammaticalCase]![column], .weak)
        case .every: (determiner, strength) = ("jed" + Self.strong[grammaticalCase]![column], .weak)
        case .a: (determiner, strength) = ((isNegated ? "kein" : "ein") + Self.mixed[grammaticalCase]![column], .mixed)
        case .my: (determiner, strength) = ("mein" + Self.mixed[grammaticalCase]![column], .mixed)
        case .our: (determiner, strength) = ("unser" + Self.mixed[grammaticalCase]![column], .mixed)
        case .some: (determiner, strength) = ("", .strong)
        case .two: (determiner, strength) = ("zwei", .strong)
        case .three: (determiner, strength) = ("drei", .strong)
        case .many: (determiner, strength) = ("viel" + Self.strong[grammaticalCase]![column], .strong)
        }
        adjectiveEnding =
            switch strength {
            case .weak: Self.weakAdjective[grammaticalCase]![column]
            case .mixed: Self.mixedAdjective[grammaticalCase]![column]
            case .strong: Self.strong[grammaticalCase]![column]
            }
        noun = Self.noun(phrase, grammaticalCase)
    }

    private static func noun(_ phrase: NounPhrase, _ grammaticalCase: Case) -> String {
        let forms = phrase.noun.german
        if phrase.isPlural {
            let takesN = grammaticalCase == .dative && forms.plural.last != "n" && forms.plural.last != "s"
            return takesN ? forms.plural + "n" : forms.plural
        }
        return switch grammaticalCase {
        case .nominative: forms.nominative
        case .accusative, .dative: forms.oblique
        case .genitive: forms.genitive
        }
    }

    static func relativePronoun(_ phrase: NounPhrase, _ grammaticalCase: Case) -> String {
        phrase.isPlural && grammaticalCase == .dative ? "denen" : definite[grammaticalCase]![column(phrase)]
    }

    /// Whether nominative and accusative look alike, so that only order or sense tells subject from object.
    static func isAmbiguous(_ phrase: NounPhrase) -> Bool { phrase.isPlural || phrase.noun.german.gender != .masculine }
}
