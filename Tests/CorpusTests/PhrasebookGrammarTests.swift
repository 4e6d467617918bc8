import Testing

@testable import Corpus

/// Sentences put together by hand and realized in three languages, compared with what a speaker would write.
@Suite struct PhrasebookGrammarTests {
    private let lexicon: Lexicon

    init() throws { lexicon = try Lexicon(folder: PhrasebookTests.folder, through: InputFiles()) }

    private func expect(
        _ sentence: Sentence, _ english: String, _ german: String, _ french: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(EnglishRealizer().sentence(sentence) == english, sourceLocation: sourceLocation)
        #expect(GermanRealizer().sentence(sentence) == german, sourceLocation: sourceLocation)
        #expect(FrenchRealizer().sentence(sentence) == french, sourceLocation: sourceLocation)
    }

    private func the(
        _ noun: String, _ number: Number = .singular, _ determiner: Determiner = .the, before: String? = nil,
        after: String? = nil
    ) -> NounPhrase {
        NounPhrase(
            noun: lexicon.nouns.first { $0.english.singular == noun }!, number: number, determiner: determiner,
            before: before.map(adjective), after: after.map(adjective))
    }

    private func adjective(_ name: String) -> Adjective { lexicon.adjectives.first { $0.english.positive == name }! }

    private func clause(
        _ subject: Participant, _ verb: String, _ object: Participant? = nil, tense: Tense = .present,
        particle: String = "",
        change: (inout Clause) -> Void = { _ in }
    ) -> Clause {
        let verb = lexicon.verbs.first { $0.english.base == verb && $0.english.particle == particle }!
        var clause = Clause(subject: subject, predicate: .verb(verb), tense: tense, object: object)
        change(&clause)
        return clause
    }

    @Test func separableVerbsPartAndMeet() {
        let pick = { (tense: Tense) in
            self.clause(
                .phrase(self.the("boy")), "pick", .phrase(self.the("apple", .plural)), tense: tense, particle: "up")
        }
        expect(
            .plain(pick(.present)), "The boy picks up the apples.", "Der Junge hebt die Äpfel auf.",
            "Le garçon ramasse les pommes.")
        expect(
            .plain(pick(.past)), "The boy picked up the apples.", "Der Junge hat die Äpfel aufgehoben.",
            "Le garçon a ramassé les pommes.")
        expect(
            .plain(pick(.want)), "The boy wants to pick up the apples.", "Der Junge will die Äpfel aufheben.",
            "Le garçon veut ramasser les pommes.")
        let because = lexicon.conjunctions.first { $0.english == "because" }!
        expect(
            .dependent(clause(.pronoun(.she), "laugh"), because, pick(.present), fronted: false),
            "She laughs because the boy picks up the apples.", "Sie lacht, weil der Junge die Äpfel aufhebt.",
            "Elle rit parce que le garçon ramasse les pommes.")
        expect(
            .dependent(clause(.pronoun(.he), "laugh"), because, pick(.past), fronted: true),
            "Because the boy picked up the apples, he laughs.", "Weil der Junge die Äpfel aufgehoben hat, lacht er.",
            "Parce que le garçon a ramassé les pommes, il rit.")
    }

    @Test func adjectivesDecline() {
        let see = { (object: NounPhrase) in Sentence.plain(self.clause(.pronoun(.we), "see", .phrase(object))) }
        expect(
            see(the("tree", .singular, .the, before: "old")), "We see the old tree.", "Wir sehen den alten Baum.",
            "Nous voyons le vieil arbre.")
        expect(
            see(the("tree", .singular, .a, before: "old")), "We see an old tree.", "Wir sehen einen alten Baum.",
            "Nous voyons un vieil arbre.")
        expect(
            see(the("house", .singular, .a, before: "new")), "We see a new house.", "Wir sehen ein neues Haus.",
            "Nous voyons une nouvelle maison.")
        expect(
            see(the("horse", .plural, .some, before: "beautiful", after: "black")), "We see beautiful black horses.",
            "Wir sehen schöne schwarze Pferde.", "Nous voyons de beaux chevaux noirs.")
        expect(
            see(the("egg", .plural, .many, after: "white")), "We see many white eggs.", "Wir sehen viele weiße Eier.",
            "Nous voyons beaucoup d'œufs blancs.")
        expect(
            see(the("tree", .singular, .this, before: "small")), "We see this small tree.",
            "Wir sehen diesen kleinen Baum.", "Nous voyons ce petit arbre.")
        expect(
            see(the("tree", .singular, .this)), "We see this tree.", "Wir sehen diesen Baum.", "Nous voyons cet arbre.")
        expect(
            see(the("scarf", .singular, .my, after: "red")), "We see my red scarf.", "Wir sehen meinen roten Schal.",
            "Nous voyons mon écharpe rouge.")
    }

    @Test func recipientsAreDativeAndWeakNounsDecline() {
        expect(
            .plain(
                clause(.phrase(the("queen")), "give", .phrase(the("book", .plural, .two, before: "new"))) {
                    $0.recipient = .phrase(self.the("prince", .singular, .the, before: "young"))
                }),
            "The queen gives two new books to the young prince.",
            "Die Königin gibt dem jungen Prinzen zwei neue Bücher.",
            "La reine donne deux nouveaux livres au jeune prince.")
        expect(
            .plain(clause(.phrase(the("man")), "help", .phrase(the("woman", .plural, .our, before: "old")))),
            "The man helps our old women.", "Der Mann hilft unseren alten Frauen.", "L'homme aide nos vieilles femmes.")
        expect(
            .plain(
                clause(.pronoun(.she), "show", .phrase(the("ring", .singular, .a)), tense: .past) {
                    $0.recipient = .pronoun(.me)
                }),
            "She showed a ring to me.", "Sie hat mir einen Ring gezeigt.", "Elle m'a montré une bague.")
    }

    @Test func negationFindsItsPlace() {
        let boy = Participant.phrase(the("boy"))
        let negated = { (object: NounPhrase, tense: Tense) in
            Sentence.plain(self.clause(boy, "buy", .phrase(object), tense: tense) { $0.isNegated = true })
        }
        expect(
            negated(the("book"), .present), "The boy does not buy the book.", "Der Junge kauft das Buch nicht.",
            "Le garçon n'achète pas le livre.")
        expect(
            negated(the("coat", .singular, .a, after: "red"), .past), "The boy did not buy a red coat.",
            "Der Junge hat keinen roten Mantel gekauft.", "Le garçon n'a pas acheté de manteau rouge.")
        expect(
            negated(the("egg", .singular, .a), .can), "The boy cannot buy an egg.", "Der Junge kann kein Ei kaufen.",
            "Le garçon ne peut pas acheter d'œuf.")
    }

    @Test func participlesAgree() {
        expect(
            .plain(clause(.phrase(the("niece", .plural)), "come", tense: .past, particle: "back")),
            "The nieces came back.",
            "Die Nichten sind zurückgekommen.", "Les nièces sont revenues.")
        expect(
            .plain(clause(.pronoun(.he), "thank", .pronoun(.her), tense: .past)), "He thanked her.",
            "Er hat ihr gedankt.", "Il l'a remerciée.")
        expect(
            .plain(clause(.pronoun(.he), "greet", .pronoun(.him), tense: .want)), "He wants to greet him.",
            "Er will ihn grüßen.", "Il veut le saluer.")
        var letter = the("letter")
        letter.relative = Relative(gap: .object, clause: clause(.pronoun(.i), "open", .phrase(letter), tense: .past))
        expect(
            .plain(clause(.phrase(the("king")), "look", .phrase(letter), particle: "for")),
            "The king looks for the letter that I opened.",
            "Der König sucht den Brief, den ich geöffnet habe.", "Le roi cherche la lettre que j'ai ouverte.")
    }

    @Test func relativeClausesAreFramedByCommas() {
        var nun = the("nun", .plural)
        nun.relative = Relative(
            gap: .subject, clause: clause(.phrase(nun), "listen", .phrase(the("bear")), particle: "to"))
        expect(
            .plain(clause(.phrase(nun), "sing", tense: .future)), "The nuns who listen to the bear will sing.",
            "Die Nonnen, die dem Bären zuhören, werden singen.", "Les religieuses qui écoutent l'ours chanteront.")
    }

    @Test func ownersPlacesAndTimes() {
        var dress = the("dress", .singular, .the, before: "beautiful")
        dress.possessor = (the("nephew").noun, true)
        let inFront = lexicon.prepositions.first { $0.english == "next to" }!
        expect(
            .plain(
                clause(.phrase(the("witch")), "find", .phrase(dress), tense: .past) {
                    $0.adjunct = (inFront, self.the("garden"))
                    $0.time = (self.lexicon.times.first { $0.english == "yesterday" }!, true)
                }),
            "Yesterday the witch found my nephew's beautiful dress next to the garden.",
            "Gestern hat die Hexe das schöne Kleid meines Neffen neben dem Garten gefunden.",
            "Hier la sorcière a trouvé la belle robe de mon neveu à côté du jardin.")
        let `in` = lexicon.prepositions.first { $0.english == "in" }!
        expect(
            .question(
                clause(.phrase(the("uncle", .plural)), "sleep", tense: .past) {
                    $0.adjunct = (`in`, self.the("hotel"))
                    $0.time = (self.lexicon.times.first { $0.english == "on Sunday" }!, false)
                }, why: true),
            "Why did the uncles sleep in the hotel on Sunday?", "Warum haben die Onkel am Sonntag im Hotel geschlafen?",
            "Pourquoi est-ce que les oncles ont dormi dans l'hôtel dimanche ?")
    }

    @Test func qualitiesAgree() {
        let quality = { (subject: Participant, name: String, quality: Clause.Quality, tense: Tense) in
            Sentence.plain(Clause(subject: subject, predicate: .quality(self.adjective(name), quality), tense: tense))
        }
        expect(
            quality(.phrase(the("aunt", .plural)), "happy", .very, .past), "The aunts were very happy.",
            "Die Tanten waren sehr glücklich.",
            "Les tantes étaient très heureuses.")
        expect(
            quality(.phrase(the("house")), "expensive", .than(the("horse")), .present),
            "The house is more expensive than the horse.",
            "Das Haus ist teurer als das Pferd.", "La maison est plus chère que le cheval.")
        let `if` = lexicon.conjunctions.first { $0.english == "if" }!
        expect(
            .dependent(
                clause(.phrase(the("girl")), "stay", tense: .future), `if`,
                Clause(subject: .pronoun(.he), predicate: .quality(adjective("sick"), .plain)), fronted: true),
            "If he is sick, the girl will stay.", "Falls er krank ist, wird das Mädchen bleiben.",
            "S'il est malade, la fille restera.")
    }

    @Test func reports() {
        expect(
            .report(
                clause(.pronoun(.i), "know"),
                clause(.phrase(the("actor")), "turn", .phrase(the("computer", .plural)), particle: "on")),
            "I know that the actor turns on the computers.",
            "Ich weiß, dass der Schauspieler die Computer einschaltet.",
            "Je sais que l'acteur allume les ordinateurs.")
    }

    /// A wrong table is refused with file and line.
    @Test func refusesAWrongTable() throws {
        try Fixtures.withFolder { folder in
            _ = try Fixtures.write("choice\tvalue\tweight\nsentence\tplain\tmany\n", folder, "grammar.tsv")
            let error = #expect(throws: (any Error).self) { try Choices(folder: folder, through: InputFiles()) }
            #expect("\(error!)".contains("grammar.tsv:2"))
            _ = try Fixtures.write("choice\tvalue\tweight\nsentence\tplain\n", folder, "grammar.tsv")
            #expect(throws: (any Error).self) { try Choices(folder: folder, through: InputFiles()) }
        }
    }
}
