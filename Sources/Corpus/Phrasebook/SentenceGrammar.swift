/// Draws sentences at random.
///
/// A draw that leads nowhere (a noun twice, a tense without a fitting time, a sentence with two readings) yields nil,
/// and the caller draws again: so every rule stays in one place and needs no look-ahead.
struct SentenceGrammar {
    let lexicon: Lexicon
    let choices: Choices
    var random: SplitMix

    /// Where a clause stands, and thus what it may contain.
    struct Context {
        var tenses = Tense.allCases
        var allowsFirstTime = false
        var allowsRelative = false
        var allowsNegation = true
        var allowsComparison = false
        var allowsI = true

        /// A main clause by itself.
        static let free = Context(allowsFirstTime: true, allowsRelative: true, allowsComparison: true)
        /// A main clause beside another clause.
        static let joined = Context()
        static let question = Context(allowsNegation: false, allowsComparison: true, allowsI: false)
    }

    init(lexicon: Lexicon, choices: Choices, seed: UInt64) {
        self.lexicon = lexicon
        self.choices = choices
        random = SplitMix(seed: seed)
    }

    mutating func sentence() -> Sentence? {
        switch choose("sentence") {
        case "plain": clause(.free).map { .plain($0) }
        case "question": clause(.question).map { .question($0, why: false) }
        case "why": clause(.question).map { .question($0, why: true) }
        case "report": report()
        case "equal": equal()
        case "dependent": dependent(fronted: false)
        default: dependent(fronted: true)
        }
    }

    mutating func choose(_ choice: String) -> String { choices.value(choice, &random) }

    private mutating func report() -> Sentence? {
        guard let verb = random.pick(lexicon.verbsOf[.report] ?? []),
            let subject = subject(verb, .present, .joined), let said = clause(.joined)
        else { return nil }
        return .report(Clause(subject: subject, predicate: .verb(verb)), said)
    }

    private mutating func equal() -> Sentence? {
        guard let conjunction = random.pick(lexicon.conjunctions.filter { $0.kind == .equal }),
            let first = clause(.joined), let second = clause(.joined)
        else { return nil }
        return .equal(first, conjunction, second)
    }

    private mutating func dependent(fronted: Bool) -> Sentence? {
        guard let conjunction = random.pick(lexicon.conjunctions.filter { $0.kind != .equal }) else { return nil }
        var (main, dependent) = (Context.joined, Context.joined)
        if conjunction.kind == .condition {
            main.tenses = [.present, .future, .can, .must, .want]
            dependent.tenses = [.present]
        }
        guard let first = clause(main), let second = clause(dependent) else { return nil }
        return .dependent(first, conjunction, second, fronted: fronted)
    }
}

// MARK: - Clauses

extension SentenceGrammar {
    mutating func clause(_ context: Context) -> Clause? {
        choose("clause") == "quality" ? qualityClause(context) : verbClause(context)
    }

    private mutating func verbClause(_ context: Context) -> Clause? {
        guard let frame = Verb.Frame(rawValue: choose("frame")), let verb = random.pick(lexicon.verbsOf[frame] ?? []),
            let tense = Tense(rawValue: choose("tense")), context.tenses.contains(tense),
            let subject = subject(verb, tense, context)
        else { return nil }
        var clause = Clause(subject: subject, predicate: .verb(verb), tense: tense)
        clause.isNegated = choose("negation") == "yes" && context.allowsNegation && tense != .must
        if verb.frame == .transitive || verb.frame == .give {
            guard let object = verb.frame == .give ? gift(verb) : object(verb, tense, subject) else { return nil }
            clause.object = object
        }
        if verb.frame == .give {
            guard let recipient = recipient(subject) else { return nil }
            clause.recipient = recipient
        }
        if verb.adjunct != .no, !clause.isNegated, choose("adjunct") == "yes" { clause.adjunct = adjunct(verb) }
        guard addTime(to: &clause, context) else { return nil }
        if context.allowsRelative { addRelative(to: &clause) }
        return isSound(clause) ? clause : nil
    }

    /// `The house is big.` Participles and adjectives that would show whether "I" and "we" are men or women are left
    /// out.
    private mutating func qualityClause(_ context: Context) -> Clause? {
        guard let adjective = random.pick(lexicon.adjectives),
            let tense = random.pick([Tense.present, .present, .past]), context.tenses.contains(tense)
        else { return nil }
        let subject: Participant
        switch choose("subject") {
        case "he" where adjective.classes == ["person"]: subject = .pronoun(.he)
        case "she" where adjective.classes == ["person"]: subject = .pronoun(.she)
        default:
            guard var phrase = phrase(adjective.classes), phrase.determiner != .some else { return nil }
            // Colours and ages are said once: no "the red ball is blue".
            if adjective.place == .before { phrase.before = nil } else { phrase.after = nil }
            subject = .phrase(phrase)
        }
        guard let quality = quality(adjective, context) else { return nil }
        var clause = Clause(subject: subject, predicate: .quality(adjective, quality), tense: tense)
        clause.isNegated = choose("negation") == "yes" && context.allowsNegation
        guard addTime(to: &clause, context) else { return nil }
        return isSound(clause) ? clause : nil
    }

    private mutating func quality(_ adjective: Adjective, _ context: Context) -> Clause.Quality? {
        switch choose("quality") {
        case "very": return .very
        case "too": return .too
        case "than":
            guard context.allowsComparison, !adjective.english.comparative.isEmpty,
                let other = phrase(adjective.classes, allowsAdjectives: false, allowsPossessor: false),
                [.the, .my, .our, .this].contains(other.determiner)
            else { return nil }
            return .than(other)
        default: return .plain
        }
    }

    /// False if no time phrase fits.
    private mutating func addTime(to clause: inout Clause, _ context: Context) -> Bool {
        let place = choose("time")
        if place == "none" || (place == "first" && !context.allowsFirstTime) { return true }
        let group = clause.tense.group
        guard let time = random.pick(lexicon.times.filter { $0.tenses.contains(group) }) else { return false }
        clause.time = (time, place == "first")
        return true
    }

    /// Negation with "every" or "many" has two readings; and no noun is named twice.
    private func isSound(_ clause: Clause) -> Bool {
        if clause.isNegated {
            if let subject = clause.subject.phrase, [.every, .many].contains(subject.determiner) { return false }
            if let object = clause.object?.phrase, ![.the, .a, .my, .our, .this].contains(object.determiner) {
                return false
            }
            if let recipient = clause.recipient?.phrase, recipient.determiner == .a { return false }
            if clause.recipient != nil, clause.object?.phrase?.determiner == .a { return false }
        }
        let nouns = self.nouns(clause)
        return Set(nouns).count == nouns.count
    }

    private func nouns(_ clause: Clause) -> [String] {
        var phrases = [clause.subject.phrase, clause.object?.phrase, clause.recipient?.phrase, clause.adjunct?.phrase]
            .compactMap { $0 }
        if case .quality(_, .than(let phrase)) = clause.predicate { phrases.append(phrase) }
        return phrases.flatMap { phrase -> [String] in
            var nouns = [phrase.noun.english.singular]
            if let possessor = phrase.possessor { nouns.append(possessor.noun.english.singular) }
            if let relative = phrase.relative {
                nouns += self.nouns(relative.clause).filter { $0 != phrase.noun.english.singular }
            }
            return nouns
        }
    }
}
