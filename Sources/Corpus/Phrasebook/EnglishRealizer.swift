/// Puts sentences into English.
struct EnglishRealizer {
    func sentence(_ sentence: Sentence) -> String {
        guard case .question(let asked, let why) = sentence else {
            return finish(sentence.words(that: "that", conjunction: \.english) { clause($0) }, ".")
        }
        return finish(Words(why ? "why" : "") + clause(asked, isQuestion: true), "?")
    }

    /// `a` becomes `an` before a vowel.
    private func finish(_ words: Words, _ ending: String) -> String {
        var words = words
        words.replace { list in
            list.enumerated().map { index, word in
                word == "a" && index + 1 < list.count && "aeiou".contains(list[index + 1].first!) ? "an" : word
            }
        }
        return words.sentence(ending: ending)
    }

    /// - Parameter gap: what a relative pronoun before the clause stands for.
    private func clause(_ clause: Clause, isQuestion: Bool = false, gap: Relative.Gap? = nil) -> Words {
        var words = Words()
        if let time = clause.time, time.isFirst { words += time.phrase.english }
        let verb = verbGroup(clause, isQuestion: isQuestion)
        words += verb.beforeSubject
        if gap != .subject { words += participant(clause.subject) }
        words += verb.afterSubject
        switch clause.predicate {
        case .verb(let verb):
            words += verb.english.particle
            if let object = clause.object, gap != .object { words += participant(object) }
            if let recipient = clause.recipient {
                words += "to"
                words += participant(recipient)
            }
        case .quality(let adjective, let quality):
            words += self.quality(adjective, quality)
        }
        if let adjunct = clause.adjunct {
            words += adjunct.preposition.english
            words += phrase(adjunct.phrase)
        }
        if let time = clause.time, !time.isFirst { words += time.phrase.english }
        return words
    }

    /// `buys`, or `does` before the subject and `not buy` after it.
    private func verbGroup(_ clause: Clause, isQuestion: Bool) -> (beforeSubject: String, afterSubject: String) {
        let isThird = clause.subject.person == .er
        let not = clause.isNegated ? "not " : ""
        guard case .verb(let verb) = clause.predicate else {
            let be = form(ofBe: clause)
            return isQuestion ? (be, not) : ("", "\(be) \(not)")
        }
        let auxiliary: String
        var rest = verb.english.base
        switch clause.tense {
        case .present:
            if !isQuestion && !clause.isNegated { return ("", isThird ? verb.english.third : rest) }
            auxiliary = isThird ? "does" : "do"
        case .past:
            if !isQuestion && !clause.isNegated { return ("", verb.english.past) }
            auxiliary = "did"
        case .future: auxiliary = "will"
        case .must: auxiliary = "must"
        case .can:
            // The one auxiliary that is written in one word with its negation.
            if clause.isNegated && !isQuestion { return ("", "cannot \(rest)") }
            auxiliary = "can"
        case .want:
            rest = "want to \(rest)"
            if !isQuestion && !clause.isNegated { return ("", isThird ? "wants to \(verb.english.base)" : rest) }
            auxiliary = isThird ? "does" : "do"
        }
        return isQuestion ? (auxiliary, not + rest) : ("", "\(auxiliary) \(not)\(rest)")
    }

    private func form(ofBe clause: Clause) -> String {
        let isPlural = clause.subject.number == .plural
        return clause.tense == .past ? (isPlural ? "were" : "was") : (isPlural ? "are" : "is")
    }

    private func quality(_ adjective: Adjective, _ quality: Clause.Quality) -> Words {
        switch quality {
        case .plain: return Words(adjective.english.positive)
        case .very: return Words("very \(adjective.english.positive)")
        case .too: return Words("too \(adjective.english.positive)")
        case .than(let phrase):
            var words = Words("\(adjective.english.comparative) than")
            words += self.phrase(phrase)
            return words
        }
    }

    private func participant(_ participant: Participant) -> Words {
        switch participant {
        case .pronoun(let pronoun): Words(pronoun.rawValue)
        case .phrase(let phrase): self.phrase(phrase)
        }
    }

    private func phrase(_ phrase: NounPhrase) -> Words {
        var words = Words()
        if let possessor = phrase.possessor {
            words += "\(possessor.isMine ? "my" : "the") \(possessor.noun.english.singular)'s"
        } else {
            words += determiner(phrase)
        }
        words += phrase.before?.english.positive ?? ""
        words += phrase.after?.english.positive ?? ""
        words += phrase.isPlural ? phrase.noun.english.plural : phrase.noun.english.singular
        if let relative = phrase.relative {
            words += phrase.noun.isPerson ? "who" : "that"
            words += clause(relative.clause, gap: relative.gap)
        }
        return words
    }

    private func determiner(_ phrase: NounPhrase) -> String {
        switch phrase.determiner {
        case .some: ""
        case .this: phrase.isPlural ? "these" : "this"
        default: phrase.determiner.rawValue
        }
    }
}
