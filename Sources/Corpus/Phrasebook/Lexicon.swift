/// The words of the phrasebook, each in English, German and French, as its tables list them.
struct Lexicon: Sendable {
    let nouns: [Noun]
    let adjectives: [Adjective]
    let verbs: [Verb]
    /// Nouns by class.
    let nounsOf: [String: [Noun]]
    let persons: [Noun]
    let verbsOf: [Verb.Frame: [Verb]]
    let times: [TimePhrase]
    let prepositions: [Preposition]
    let conjunctions: [Conjunction]

    init(folder: String, through files: InputFiles) throws {
        let nouns = try WordTable(folder, files, "nouns.tsv", columns: Noun.columns).rows.map(Noun.init)
        let classes = Set(nouns.flatMap(\.classes))
        self.nouns = nouns
        nounsOf = Dictionary(
            uniqueKeysWithValues: classes.map { kind in (kind, nouns.filter { $0.classes.contains(kind) }) })
        persons = nouns.filter(\.isPerson)
        adjectives = try WordTable(folder, files, "adjectives.tsv", columns: Adjective.columns).rows.map(Adjective.init)
        verbs = try WordTable(folder, files, "verbs.tsv", columns: Verb.columns).rows.map(Verb.init)
        verbsOf = Dictionary(grouping: verbs, by: \.frame)
        times = try WordTable(folder, files, "times.tsv", columns: TimePhrase.columns).rows.map(TimePhrase.init)
        prepositions = try WordTable(folder, files, "prepositions.tsv", columns: Preposition.columns).rows.map(
            Preposition.init)
        conjunctions = try WordTable(folder, files, "conjunctions.tsv", columns: Conjunction.columns).rows.map(
            Conjunction.init)
    }
}

enum Gender: String, CaseIterable, Sendable { case masculine = "m", feminine = "f", neuter = "n" }
enum Number: String, Sendable { case singular, plural }
enum Case: String, CaseIterable, Sendable { case nominative, accusative, dative, genitive }

final class Noun: Sendable {
    static let columns = [
        "en", "en_plural", "de_gender", "de", "de_oblique", "de_genitive", "de_plural", "fr_gender", "fr", "fr_plural",
        "classes",
    ]

    let english: (singular: String, plural: String)
    let german: (gender: Gender, nominative: String, oblique: String, genitive: String, plural: String)
    let french: (gender: Gender, singular: String, plural: String)
    /// What it is (person, animal, food ...), which decides what can be said of it.
    let classes: Set<String>

    init(_ row: WordTable.Row) throws {
        func or(_ column: String) -> String { row[column].isEmpty ? row["de"] : row[column] }
        english = (row["en"], row["en_plural"])
        german = (try row.value("de_gender"), row["de"], or("de_oblique"), or("de_genitive"), row["de_plural"])
        french = (try row.value("fr_gender"), row["fr"], row["fr_plural"])
        classes = row.list("classes")
    }

    var isPerson: Bool { classes.contains("person") }
    var isAnimate: Bool { isPerson || classes.contains("animal") }
}

final class Adjective: Sendable {
    static let columns = [
        "en", "en_comparative", "de", "de_stem", "de_comparative", "fr_m", "fr_f", "fr_m_plural", "fr_f_plural",
        "fr_vowel",
        "fr_place", "classes",
    ]

    enum Place: String, CaseIterable { case before, after }

    let english: (positive: String, comparative: String)
    let german: (positive: String, stem: String, comparative: String)
    let french: (masculine: String, feminine: String, masculinePlural: String, femininePlural: String, vowel: String)
    /// Where the French one stands. English and German put those of `before` first.
    let place: Place
    let classes: Set<String>

    init(_ row: WordTable.Row) throws {
        english = (row["en"], row["en_comparative"])
        german = (row["de"], row["de_stem"].isEmpty ? row["de"] : row["de_stem"], row["de_comparative"])
        let vowel = row["fr_vowel"].isEmpty ? row["fr_m"] : row["fr_vowel"]
        french = (row["fr_m"], row["fr_f"], row["fr_m_plural"], row["fr_f_plural"], vowel)
        place = try row.value("fr_place")
        classes = row.list("classes")
    }
}

final class Verb: Sendable {
    static let columns = [
        "en", "en_third", "en_past", "en_particle", "de", "de_ich", "de_er", "de_participle", "de_prefix",
        "de_auxiliary", "de_case",
        "fr", "fr_je", "fr_il", "fr_nous", "fr_ils", "fr_participle", "fr_future", "fr_auxiliary", "frame", "adjunct",
        "subjects",
        "objects",
    ]

    enum Frame: String, CaseIterable { case intransitive, transitive, give, report }
    enum Adjunct: String, CaseIterable { case no, place, yes }

    let english: (base: String, third: String, past: String, particle: String)
    let german:
        (
            infinitive: String, ich: String, er: String, participle: String, prefix: String, isSein: Bool,
            objectCase: Case
        )
    let french:
        (
            infinitive: String, je: String, il: String, nous: String, ils: String, participle: String, future: String,
            isÊtre: Bool
        )
    let frame: Frame
    let adjunct: Adjunct
    let subjects: Set<String>
    let objects: Set<String>

    init(_ row: WordTable.Row) throws {
        english = (row["en"], row["en_third"], row["en_past"], row["en_particle"])
        let objectCase: Case = row["de_case"].isEmpty ? .accusative : try row.value("de_case")
        german = (
            row["de"], row["de_ich"], row["de_er"], row["de_participle"], row["de_prefix"],
            row["de_auxiliary"] == "sein", objectCase
        )
        french = (
            row["fr"], row["fr_je"], row["fr_il"], row["fr_nous"], row["fr_ils"], row["fr_participle"],
            row["fr_future"],
            row["fr_auxiliary"] == "être"
        )
        frame = try row.value("frame")
        adjunct = try row.value("adjunct")
        subjects = row.list("subjects")
        objects = row.list("objects")
    }
}

final class TimePhrase: Sendable {
    static let columns = ["en", "de", "fr", "tenses"]
    let english: String, german: String, french: String
    let tenses: Set<String>

    init(_ row: WordTable.Row) {
        (english, german, french, tenses) = (row["en"], row["de"], row["fr"], row.list("tenses"))
    }
}

final class Preposition: Sendable {
    static let columns = ["en", "de", "de_case", "fr", "classes", "frames"]
    let english: String, german: String, french: String
    let germanCase: Case
    let classes: Set<String>
    let frames: Set<String>

    init(_ row: WordTable.Row) throws {
        (english, german, french) = (row["en"], row["de"], row["fr"])
        germanCase = try row.value("de_case")
        (classes, frames) = (row.list("classes"), row.list("frames"))
    }
}

final class Conjunction: Sendable {
    static let columns = ["en", "de", "fr", "kind"]

    enum Kind: String, CaseIterable { case equal, reason, condition }

    let english: String, german: String, french: String
    let kind: Kind

    init(_ row: WordTable.Row) throws {
        (english, german, french) = (row["en"], row["de"], row["fr"])
        kind = try row.value("kind")
    }
}
