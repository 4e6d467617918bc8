// Who does what to whom: subjects, objects, recipients and the nouns in them.
//
// Pronouns are where three languages differ most in what they leave open, so they are used only where each of them says
// the same: "he" and "she" where only a person can be meant (German "er" may be a table), "me" and "us" not where
// French would show the gender ("il m'a vue"), "him" and "her" not where French would hide it ("il l'aide"), never
// "you" and "they".
extension SentenceGrammar {
    mutating func subject(_ verb: Verb, _ tense: Tense, _ context: Context) -> Participant? {
        let wanted = choose("subject")
        switch wanted {
        case "phrase":
            guard let phrase = phrase(verb.subjects), phrase.determiner != .some else { return nil }
            return .phrase(phrase)
        case "I", "we":
            guard context.allowsI, verb.subjects.contains("person"), !(tense == .past && verb.french.isÊtre) else {
                return nil
            }
        default:
            guard verb.subjects == ["person"] else { return nil }
        }
        return Pronoun(rawValue: wanted).map { .pronoun($0) }
    }

    mutating func object(_ verb: Verb, _ tense: Tense, _ subject: Participant) -> Participant? {
        let wanted = choose("object")
        switch wanted {
        case "phrase": return phrase(verb.objects).map { .phrase($0) }
        case "me", "us": guard verb.objects == ["person"], tense != .past, !speaks(subject) else { return nil }
        default:
            let isShortened = tense.isModal ? verb.french.infinitive : verb.french.future
            guard verb.objects == ["person"] else { return nil }
            // Shortened to l', "le" and "la" look alike; after avoir the participle tells them apart.
            guard tense == .past || !FrenchSpelling.beginsWithVowel(isShortened) else { return nil }
        }
        return Pronoun(rawValue: wanted).map { .pronoun($0) }
    }

    private func speaks(_ participant: Participant) -> Bool { participant.pronoun == .i || participant.pronoun == .we }

    /// What is given. "Das Buch der Frau" beside a recipient would have two readings.
    mutating func gift(_ verb: Verb) -> Participant? {
        phrase(verb.objects, allowsPossessor: false).map { .phrase($0) }
    }

    mutating func recipient(_ subject: Participant) -> Participant? {
        let wanted = choose("object")
        if wanted == "me" || wanted == "us" {
            return speaks(subject) ? nil : Pronoun(rawValue: wanted).map { .pronoun($0) }
        }
        return phrase(["person"], allowsPossessor: false).map { .phrase($0) }
    }

    mutating func adjunct(_ verb: Verb) -> (preposition: Preposition, phrase: NounPhrase)? {
        guard let preposition = random.pick(lexicon.prepositions.filter { $0.frames.contains(verb.frame.rawValue) }),
            let phrase = phrase(preposition.classes, allowsPossessor: false),
            [.the, .a, .my, .our, .this].contains(phrase.determiner)
        else { return nil }
        let isPlace = preposition.classes != ["person"]
        guard isPlace ? phrase.number == .singular : verb.adjunct == .yes else { return nil }
        return (preposition, phrase)
    }

    /// A noun of one of the classes with a determiner and perhaps adjectives and an owner.
    mutating func phrase(
        _ classes: Set<String>, allowsAdjectives: Bool = true, allowsPossessor: Bool = true
    ) -> NounPhrase? {
        let number = Number(rawValue: choose("number"))!
        guard let determiner = Determiner(rawValue: choose(number.rawValue)),
            let kind = random.pick(classes.sorted()),
            let noun = random.pick(lexicon.nounsOf[kind] ?? []), !(noun.isPerson && determiner == .some)
        else { return nil }
        var phrase = NounPhrase(noun: noun, number: number, determiner: determiner)
        let adjectives = allowsAdjectives ? choose("adjectives") : "none"
        if adjectives == "before" || adjectives == "both" { phrase.before = adjective(.before, noun) }
        if adjectives == "after" || adjectives == "both" { phrase.after = adjective(.after, noun) }
        if allowsPossessor, determiner == .the, !noun.isPerson, choose("possessor") == "yes",
            let owner = random.pick(lexicon.persons)
        {
            phrase.possessor = (owner, random.below(4) == 0)
        }
        return phrase
    }

    private mutating func adjective(_ place: Adjective.Place, _ noun: Noun) -> Adjective? {
        random.pick(lexicon.adjectives.filter { $0.place == place && !$0.classes.isDisjoint(with: noun.classes) })
    }
}

// MARK: - Relative clauses

extension SentenceGrammar {
    /// Hangs a relative clause on the subject, or on an object after which nothing follows in any of the three
    /// languages.
    mutating func addRelative(to clause: inout Clause) {
        let gap: Relative.Gap
        switch choose("relative") {
        case "subject": gap = .subject
        case "object": gap = .object
        default: return
        }
        if let phrase = clause.subject.phrase, phrase.possessor == nil, random.below(2) == 0 {
            clause.subject = .phrase(withRelative(phrase, gap))
        } else if let phrase = clause.object?.phrase, phrase.possessor == nil, isLast(clause) {
            clause.object = .phrase(withRelative(phrase, gap))
        }
    }

    private func isLast(_ clause: Clause) -> Bool {
        guard case .verb(let verb) = clause.predicate, clause.tense == .present, verb.german.prefix.isEmpty else {
            return false
        }
        let hasLastTime = clause.time.map { !$0.isFirst } ?? false
        return clause.recipient == nil && clause.adjunct == nil && !clause.isNegated && !hasLastTime
    }

    private mutating func withRelative(_ phrase: NounPhrase, _ gap: Relative.Gap) -> NounPhrase {
        var result = phrase
        result.relative = gap == .subject ? subjectRelative(phrase) : objectRelative(phrase)
        return result
    }

    /// `who buys the apple`
    private mutating func subjectRelative(_ head: NounPhrase) -> Relative? {
        let fitting = lexicon.verbs.filter {
            ($0.frame == .intransitive || $0.frame == .transitive) && !$0.subjects.isDisjoint(with: head.noun.classes)
        }
        guard let verb = random.pick(fitting), let tense = random.pick([Tense.present, .past]) else { return nil }
        var clause = Clause(subject: .phrase(head), predicate: .verb(verb), tense: tense)
        if verb.frame == .transitive {
            guard let object = phrase(verb.objects, allowsPossessor: false),
                !looksLikeSubject(object, beside: head, verb)
            else { return nil }
            clause.object = .phrase(object)
        }
        if verb.adjunct != .no, choose("adjunct") == "yes" { clause.adjunct = adjunct(verb) }
        return Relative(gap: .subject, clause: clause)
    }

    /// `that the woman buys`
    private mutating func objectRelative(_ head: NounPhrase) -> Relative? {
        let fitting = lexicon.verbs.filter {
            $0.frame == .transitive && !$0.objects.isDisjoint(with: head.noun.classes)
        }
        guard !head.noun.isPerson, let verb = random.pick(fitting), let tense = random.pick([Tense.present, .past]),
            let subject = subject(verb, tense, .joined)
        else { return nil }
        if let phrase = subject.phrase {
            guard phrase.possessor == nil, !looksLikeSubject(head, beside: phrase, verb) else { return nil }
        } else if subject.pronoun == .she, head.noun.isAnimate {
            return nil
        }
        return Relative(
            gap: .object, clause: Clause(subject: subject, predicate: .verb(verb), tense: tense, object: .phrase(head)))
    }

    /// Whether a German relative clause, where both noun phrases stand before the verb, leaves open which of the two
    /// acts: "die Katze, die die Maus sieht".
    private func looksLikeSubject(_ object: NounPhrase, beside subject: NounPhrase, _ verb: Verb) -> Bool {
        verb.german.objectCase == .accusative && object.noun.isAnimate && object.number == subject.number
            && GermanDeclension.isAmbiguous(object) && GermanDeclension.isAmbiguous(subject)
    }
}
