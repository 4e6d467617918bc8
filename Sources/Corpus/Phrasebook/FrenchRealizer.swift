/// Puts sentences into French: agreement of adjectives and participles, adjectives before and after the noun, pronouns
/// before the verb, elision and contraction.
struct FrenchRealizer {
    func sentence(_ sentence: Sentence) -> String {
        let words = sentence.words(that: "que", conjunction: \.french) { clause($0) }
        guard case .question(_, let why) = sentence else { return finish(words, ".") }
        return finish(Words(why ? "pourquoi est-ce que" : "est-ce que") + words, " ?")
    }

    private func finish(_ words: Words, _ ending: String) -> String {
        var words = words
        words.replace(FrenchSpelling.joined)
        return words.sentence(ending: ending)
    }

    private func clause(_ clause: Clause, gap: Relative.Gap? = nil) -> Words {
        var words = Words()
        if let time = clause.time, time.isFirst { words += time.phrase.french }
        if gap != .subject { words += participant(clause.subject) }
        words += verbGroup(clause, gap: gap)
        if let object = clause.object?.phrase, gap != .object {
            // Negated, "un" becomes "de".
            words += phrase(object, isNegated: clause.isNegated && object.determiner == .a)
        }
        if let recipient = clause.recipient?.phrase {
            words += "à"
            words += phrase(recipient)
        }
        if let adjunct = clause.adjunct {
            words += adjunct.preposition.french
            words += phrase(adjunct.phrase)
        }
        if let time = clause.time, !time.isFirst { words += time.phrase.french }
        return words
    }
}

// MARK: - Verbs

extension FrenchRealizer {
    /// `ne` clitic verb `pas` participle; with an auxiliary of mood the clitic goes to the infinitive.
    private func verbGroup(_ clause: Clause, gap: Relative.Gap?) -> Words {
        let person = clause.subject.person
        let clitic = (clause.object?.pronoun ?? clause.recipient?.pronoun).map(self.clitic) ?? ""
        let ne = clause.isNegated ? "ne" : ""
        let pas = clause.isNegated ? "pas" : ""
        guard case .verb(let verb) = clause.predicate else {
            guard case .quality(let adjective, let quality) = clause.predicate else { return Words() }
            let be =
                clause.tense == .past
                ? choose(person, "étais", "était", "étions", "étaient")
                : choose(person, "suis", "est", "sommes", "sont")
            var words = Words("\(ne) \(be) \(pas)")
            words += self.quality(adjective, quality, of: clause.subject)
            return words
        }
        let forms = verb.french
        switch clause.tense {
        case .present:
            return Words("\(ne) \(clitic) \(choose(person, forms.je, forms.il, forms.nous, forms.ils)) \(pas)")
        case .past:
            let auxiliary =
                forms.isÊtre
                ? choose(person, "suis", "est", "sommes", "sont") : choose(person, "ai", "a", "avons", "ont")
            return Words("\(ne) \(clitic) \(auxiliary) \(pas) \(participle(verb, clause, gap: gap))")
        case .future:
            return Words("\(ne) \(clitic) \(forms.future)\(choose(person, "ai", "a", "ons", "ont")) \(pas)")
        case .can: return modal(choose(person, "peux", "peut", "pouvons", "peuvent"))
        case .must: return modal(choose(person, "dois", "doit", "devons", "doivent"))
        case .want: return modal(choose(person, "veux", "veut", "voulons", "veulent"))
        }
        func modal(_ finite: String) -> Words { Words("\(ne) \(finite) \(pas) \(clitic) \(forms.infinitive)") }
    }

    private func choose(_ person: Person, _ je: String, _ il: String, _ nous: String, _ ils: String) -> String {
        switch person {
        case .ich: je
        case .er: il
        case .wir: nous
        case .sie: ils
        }
    }

    private func clitic(_ pronoun: Pronoun) -> String {
        switch pronoun {
        case .me: "me"
        case .us: "nous"
        case .him: "le"
        case .her: "la"
        default: ""
        }
    }

    /// Agrees with the subject after `être`, and after `avoir` with an object that comes before it.
    private func participle(_ verb: Verb, _ clause: Clause, gap: Relative.Gap?) -> String {
        let participle = verb.french.participle
        if verb.french.isÊtre { return participle + agreement(clause.subject) }
        if gap == .object, let object = clause.object { return participle + agreement(object) }
        return clause.object?.pronoun == .her ? participle + "e" : participle
    }

    private func agreement(_ participant: Participant) -> String {
        (isFeminine(participant) ? "e" : "") + (participant.number == .plural ? "s" : "")
    }

    private func isFeminine(_ participant: Participant) -> Bool {
        participant.phrase.map { $0.noun.french.gender == .feminine } ?? (participant.pronoun == .she)
    }

    private func quality(_ adjective: Adjective, _ quality: Clause.Quality, of subject: Participant) -> Words {
        let form = self.form(adjective, isFeminine: isFeminine(subject), isPlural: subject.number == .plural)
        switch quality {
        case .plain: return Words(form)
        case .very: return Words("très \(form)")
        case .too: return Words("trop \(form)")
        case .than(let phrase):
            var words = Words("plus \(form) que")
            words += self.phrase(phrase)
            return words
        }
    }
}

// MARK: - Noun phrases

extension FrenchRealizer {
    private func participant(_ participant: Participant) -> Words {
        switch participant {
        case .phrase(let phrase): self.phrase(phrase)
        case .pronoun(.i): Words("je")
        case .pronoun(.we): Words("nous")
        case .pronoun(.he): Words("il")
        case .pronoun(.she): Words("elle")
        case .pronoun: Words()
        }
    }

    private func phrase(_ phrase: NounPhrase, isNegated: Bool = false) -> Words {
        let isFeminine = phrase.noun.french.gender == .feminine
        let noun = phrase.isPlural ? phrase.noun.french.plural : phrase.noun.french.singular
        var words = Words()
        let before = phrase.before.map { adjective in
            let usesVowelForm = !isFeminine && !phrase.isPlural && FrenchSpelling.beginsWithVowel(noun)
            return usesVowelForm
                ? adjective.french.vowel : form(adjective, isFeminine: isFeminine, isPlural: phrase.isPlural)
        }
        words += isNegated ? "de" : determiner(phrase, isFeminine: isFeminine, next: before ?? noun)
        words += before ?? ""
        words += noun
        words += phrase.after.map { form($0, isFeminine: isFeminine, isPlural: phrase.isPlural) } ?? ""
        if let possessor = phrase.possessor {
            let owner = NounPhrase(noun: possessor.noun, number: .singular, determiner: possessor.isMine ? .my : .the)
            words += "de"
            words += self.phrase(owner)
        }
        if let relative = phrase.relative {
            words += relative.gap == .subject ? "qui" : "que"
            words += clause(relative.clause, gap: relative.gap)
        }
        return words
    }

    private func form(_ adjective: Adjective, isFeminine: Bool, isPlural: Bool) -> String {
        switch (isFeminine, isPlural) {
        case (false, false): adjective.french.masculine
        case (true, false): adjective.french.feminine
        case (false, true): adjective.french.masculinePlural
        case (true, true): adjective.french.femininePlural
        }
    }

    /// `le` and `la` are shortened later, by the word that follows; `mon` and `cet` are chosen here.
    private func determiner(_ phrase: NounPhrase, isFeminine: Bool, next: String) -> String {
        let isVowel = FrenchSpelling.beginsWithVowel(next)
        return switch phrase.possessor == nil ? phrase.determiner : .the {
        case .the: phrase.isPlural ? "les" : isFeminine ? "la" : "le"
        case .a: isFeminine ? "une" : "un"
        case .some: phrase.before == nil ? "des" : "de"
        case .my: phrase.isPlural ? "mes" : isFeminine && !isVowel ? "ma" : "mon"
        case .our: phrase.isPlural ? "nos" : "notre"
        case .this: phrase.isPlural ? "ces" : isFeminine ? "cette" : isVowel ? "cet" : "ce"
        case .every: "chaque"
        case .two: "deux"
        case .three: "trois"
        case .many: "beaucoup de"
        }
    }
}
