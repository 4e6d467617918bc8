extension Sentence {
    /// The sentence in a language whose clauses keep their order wherever they stand, as in English and French.
    ///
    /// - Parameters:
    ///   - that: what a reported clause begins with
    ///   - conjunction: the conjunctions in that language
    func words(that: String, conjunction: KeyPath<Conjunction, String>, clause: (Clause) -> Words) -> Words {
        switch self {
        case .plain(let only), .question(let only, _): return clause(only)
        case .report(let speaker, let said): return clause(speaker) + Words(that) + clause(said)
        case .equal(let first, let joint, let second):
            return clause(first) + Words(joint[keyPath: conjunction]) + clause(second)
        case .dependent(let main, let joint, let dependent, fronted: let isFronted):
            let dependent = Words(joint[keyPath: conjunction]) + clause(dependent)
            return isFronted ? dependent + Words(",") + clause(main) : clause(main) + dependent
        }
    }
}
