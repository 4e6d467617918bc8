/// Puts sentences into German: verb second in main clauses and last in dependent ones, separable verbs, declension in
/// four cases with strong, mixed and weak adjectives.
struct GermanRealizer {
    private enum Order { case second, first, last }

    func sentence(_ sentence: Sentence) -> String {
        var words = Words()
        switch sentence {
        case .plain(let clause):
            words += main(clause)
        case .question(let clause, let why):
            if why { words += "warum" }
            words += self.clause(clause, .first)
            return finish(words, "?")
        case .report(let speaker, let clause):
            words += main(speaker)
            words += ", dass"
            words += self.clause(clause, .last)
        case .equal(let first, let conjunction, let second):
            words += main(first)
            // A comma parts main clauses before "aber"; before "und" there is none.
            words += conjunction.german == "und" ? "und" : ", \(conjunction.german)"
            words += main(second)
        case .dependent(let clause, let conjunction, let dependent, fronted: false):
            words += main(clause)
            words += ", \(conjunction.german)"
            words += self.clause(dependent, .last)
        case .dependent(let clause, let conjunction, let dependent, fronted: true):
            words += conjunction.german
            words += self.clause(dependent, .last)
            words += ","
            words += self.clause(clause, .first)
        }
        return finish(words, ".")
    }

    private func finish(_ words: Words, _ ending: String) -> String {
        var words = words
        words.replace { list in
            list.reduce(into: []) { result, word in
                if word == "dem", result.last == "in" { result[result.count - 1] = "im" } else { result.append(word) }
            }
        }
        return words.sentence(ending: ending)
    }

    /// A main clause: something first, then the finite verb.
    private func main(_ clause: Clause) -> Words {
        guard let time = clause.time, time.isFirst else { return self.clause(clause, .second) }
        var words = Words(time.phrase.german)
        words += self.clause(clause, .first)
        return words
    }

    private func clause(_ clause: Clause, _ order: Order, gap: Relative.Gap? = nil) -> Words {
        let verb = verbGroup(clause)
        var words = Words()
        if order == .first { words += verb.finite }
        if gap != .subject { words += participant(clause.subject, .nominative) }
        if order == .second { words += verb.finite }
        words += middle(clause, gap: gap)
        if order == .last {
            // A prefix that has nothing between itself and its finite verb is written in one word with it.
            words += verb.isPrefix ? verb.final + verb.finite : "\(verb.final) \(verb.finite)"
        } else {
            words += verb.final
        }
        return words
    }

    /// What stands between the finite verb and the end: pronouns, time, recipient, object, `nicht`, place.
    private func middle(_ clause: Clause, gap: Relative.Gap?) -> Words {
        var words = Words()
        let recipient = clause.recipient.map { participant($0, .dative) } ?? Words()
        let object = gap == .object ? Words() : clause.object.map { self.object($0, clause) } ?? Words()
        if clause.recipient?.pronoun != nil { words += recipient }
        if clause.object?.pronoun != nil { words += object }
        if let time = clause.time, !time.isFirst { words += time.phrase.german }
        if clause.recipient?.phrase != nil { words += recipient }
        if clause.object?.phrase != nil { words += object }
        if clause.isNegated && !isNegatedByDeterminer(clause) { words += "nicht" }
        if let adjunct = clause.adjunct {
            words += adjunct.preposition.german
            words += phrase(adjunct.phrase, adjunct.preposition.germanCase)
        }
        return words
    }

    /// `kein` takes the place of `ein` with `nicht`.
    private func isNegatedByDeterminer(_ clause: Clause) -> Bool { clause.object?.phrase?.determiner == .a }

    private func object(_ object: Participant, _ clause: Clause) -> Words {
        guard case .verb(let verb) = clause.predicate else { return Words() }
        guard let phrase = object.phrase else { return participant(object, verb.german.objectCase) }
        return self.phrase(phrase, verb.german.objectCase, isNegated: clause.isNegated && isNegatedByDeterminer(clause))
    }
}

// MARK: - Verbs

extension GermanRealizer {
    private func verbGroup(_ clause: Clause) -> (finite: String, final: String, isPrefix: Bool) {
        let person = clause.subject.person
        guard case .verb(let verb) = clause.predicate else {
            guard case .quality(let adjective, let quality) = clause.predicate else { return ("", "", false) }
            let finite =
                clause.tense == .past
                ? choose(person, "war", "war", "waren") : choose(person, "bin", "ist", "sind")
            return (finite, self.quality(adjective, quality), false)
        }
        let forms = verb.german
        let infinitive = forms.prefix + forms.infinitive
        switch clause.tense {
        case .present:
            return (choose(person, forms.ich, forms.er, forms.infinitive), forms.prefix, !forms.prefix.isEmpty)
        case .past:
            let finite = forms.isSein ? choose(person, "bin", "ist", "sind") : choose(person, "habe", "hat", "haben")
            return (finite, forms.participle, false)
        case .future: return (choose(person, "werde", "wird", "werden"), infinitive, false)
        case .can: return (choose(person, "kann", "kann", "können"), infinitive, false)
        case .must: return (choose(person, "muss", "muss", "müssen"), infinitive, false)
        case .want: return (choose(person, "will", "will", "wollen"), infinitive, false)
        }
    }

    private func choose(_ person: Person, _ ich: String, _ er: String, _ plural: String) -> String {
        switch person {
        case .ich: ich
        case .er: er
        case .wir, .sie: plural
        }
    }

    private func quality(_ adjective: Adjective, _ quality: Clause.Quality) -> String {
        switch quality {
        case .plain: adjective.german.positive
        case .very: "sehr \(adjective.german.positive)"
        case .too: "zu \(adjective.german.positive)"
        case .than(let phrase):
            "\(adjective.german.comparative) als \(self.phrase(phrase, .nominative).list.joined(separator: " "))"
        }
    }
}

// MARK: - Noun phrases

extension GermanRealizer {
    private func participant(_ participant: Participant, _ grammaticalCase: Case) -> Words {
        switch participant {
        case .phrase(let phrase): self.phrase(phrase, grammaticalCase)
        case .pronoun(let pronoun): Words(self.pronoun(pronoun, grammaticalCase))
        }
    }

    private func pronoun(_ pronoun: Pronoun, _ grammaticalCase: Case) -> String {
        let isDative = grammaticalCase == .dative
        return switch pronoun {
        case .i: "ich"
        case .we: "wir"
        case .he: "er"
        case .she: "sie"
        case .me: isDative ? "mir" : "mich"
        case .us: "uns"
        case .him: isDative ? "ihm" : "ihn"
        case .her: isDative ? "ihr" : "sie"
        }
    }

    private func phrase(_ phrase: NounPhrase, _ grammaticalCase: Case, isNegated: Bool = false) -> Words {
        let declension = GermanDeclension(phrase, grammaticalCase, isNegated: isNegated)
        var words = Words(declension.determiner)
        for adjective in [phrase.before, phrase.after].compactMap({ $0 }) {
            words += adjective.german.stem + declension.adjectiveEnding
        }
        words += declension.noun
        if let possessor = phrase.possessor {
            let owner = NounPhrase(noun: possessor.noun, number: .singular, determiner: possessor.isMine ? .my : .the)
            words += self.phrase(owner, .genitive)
        }
        if let relative = phrase.relative { words += self.relative(relative, phrase) }
        return words
    }

    private func relative(_ relative: Relative, _ phrase: NounPhrase) -> Words {
        var grammaticalCase = Case.nominative
        if relative.gap == .object, case .verb(let verb) = relative.clause.predicate {
            grammaticalCase = verb.german.objectCase
        }
        var words = Words(",")
        words += GermanDeclension.relativePronoun(phrase, grammaticalCase)
        words += clause(relative.clause, .last, gap: relative.gap)
        words += ","
        return words
    }
}
