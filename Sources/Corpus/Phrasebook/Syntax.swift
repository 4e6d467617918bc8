/// A sentence before it is put into words: what is said, in the terms that the three languages share.
///
/// A realizer for each language decides order, agreement and form. Since each realizes the same tree, the three
/// sentences mean the same; the grammar leaves out every tree that two readings of one of the sentences would share.
indirect enum Sentence {
    /// `The king sleeps.`
    case plain(Clause)
    /// `Does the king sleep?`, or `Why does the king sleep?`
    case question(Clause, why: Bool)
    /// `The queen says that the king sleeps.`
    case report(Clause, Clause)
    /// `The king sleeps and the queen works.`
    case equal(Clause, Conjunction, Clause)
    /// `The king sleeps because the queen works.`, or `Because the queen works, the king sleeps.`
    case dependent(Clause, Conjunction, Clause, fronted: Bool)
}

struct Clause {
    enum Predicate {
        case verb(Verb)
        case quality(Adjective, Quality)
    }

    enum Quality {
        case plain, very, too
        case than(NounPhrase)
    }

    var subject: Participant
    var predicate: Predicate
    var tense: Tense = .present
    var isNegated = false
    var object: Participant?
    var recipient: Participant?
    var adjunct: (preposition: Preposition, phrase: NounPhrase)?
    var time: (phrase: TimePhrase, isFirst: Bool)?
}

enum Tense: String, CaseIterable {
    case present, past, future, can, must, want

    var isModal: Bool { self == .can || self == .must || self == .want }
    /// The tense as time phrases know it.
    var group: String { isModal ? "present" : rawValue }
}

enum Pronoun: String, CaseIterable {
    case i = "I"
    case we, he, she, me, us, him, her
}

enum Participant {
    case pronoun(Pronoun)
    case phrase(NounPhrase)

    var number: Number {
        switch self {
        case .pronoun(let pronoun): pronoun == .we || pronoun == .us ? .plural : .singular
        case .phrase(let phrase): phrase.number
        }
    }

    var phrase: NounPhrase? { if case .phrase(let phrase) = self { phrase } else { nil } }
    var pronoun: Pronoun? { if case .pronoun(let pronoun) = self { pronoun } else { nil } }

    /// First person singular, first person plural, third singular, third plural: the four forms that verbs have here.
    var person: Person {
        switch (pronoun, number) {
        case (.i, _): .ich
        case (.we, _): .wir
        case (_, .singular): .er
        case (_, .plural): .sie
        }
    }
}

enum Person { case ich, er, wir, sie }

enum Determiner: String, CaseIterable {
    case the, a, my, our, this, every, some, two, three, many
}

struct NounPhrase {
    var noun: Noun
    var number: Number
    var determiner: Determiner
    /// One that French puts before the noun, one that it puts after it.
    var before: Adjective?
    var after: Adjective?
    var possessor: (noun: Noun, isMine: Bool)?
    var relative: Relative?

    var isPlural: Bool { number == .plural }
}

/// A relative clause, whose subject or object is the noun that it belongs to.
final class Relative {
    enum Gap { case subject, object }

    let gap: Gap
    /// In the place of the gap stands the noun itself.
    let clause: Clause

    init(gap: Gap, clause: Clause) {
        self.gap = gap
        self.clause = clause
    }
}
