import Models
import Training

/// The models of a report that have maps of one set of sentences: the teacher, and what stands for each attention.
struct MappedModels {
    struct Model {
        let label: String
        let family: String
        let maps: SentenceMaps
    }

    let teacher: SentenceMaps
    let sentences: [MappedSentence]
    private let replaced: [(group: ScoreGroup, model: Model)]

    /// Nil where no teacher's score has maps.
    init?(_ evidence: Evidence) throws {
        // of one run alone, whose networks stand for its own teacher's attentions; a model's maps are the same however
        // it searches
        func mapped(_ groups: [ScoreGroup], of run: String? = nil) throws -> [(group: ScoreGroup, model: Model)] {
            try groups.filter { $0.model.layer == nil }.compactMap { group in
                guard let member = run.map({ run in group.members.first { $0.name == run } }) ?? group.first,
                    let maps = try evidence.translations.maps(member.run)
                else { return nil }
                let family = group.model.specs.first?.family.name ?? ""
                return (group, Model(label: evidence.label(group), family: family, maps: maps))
            }
        }
        guard let first = try mapped(evidence.teachers).first(where: { !$0.model.maps.sentences.isEmpty }) else {
            return nil
        }
        teacher = first.model.maps
        sentences = teacher.sentences
        let known = sentences
        replaced = try mapped(evidence.replaced, of: first.group.first.name).filter {
            $0.model.maps.sentences == known
        }
    }

    /// What stands at an attention, each network once: of the model in which fewest attentions are replaced. One of
    /// each family comes before the second of any.
    func models(at attention: Attention) -> [Model] {
        let here = replaced.filter { $0.group.model.specs.contains { $0.attention.captured == attention } }
        let models = here.grouped { $0.model.label }.map { _, members in
            members.min { ($0.group.first.replaced ?? 0) < ($1.group.first.replaced ?? 0) }!.model
        }
        let firsts = models.grouped(by: \.family).map(\.members[0].label)
        return models.filter { firsts.contains($0.label) } + models.filter { !firsts.contains($0.label) }
    }

    /// Layers of an attention.
    func layers(_ attention: Attention) throws -> Int {
        var count = 0
        while try teacher.influence(0, attention, count) != nil { count += 1 }
        return count
    }
}

extension PlaceMap {
    /// How much two maps have in common: of each row the sum of what both have at a token, from 0 to 1; the mean of the
    /// rows. Rows of a single token say nothing and do not count. Nil where there are no others.
    func overlap(_ other: PlaceMap, isCausal: Bool) -> Double? {
        let rows = (0..<outputs).filter { (isCausal ? $0 + 1 : read) > 1 }
        guard !rows.isEmpty, (outputs, read) == (other.outputs, other.read) else { return nil }
        let common = rows.map { row in (0..<read).reduce(0.0) { $0 + Double(min(self[row, $1], other[row, $1])) } }
        return common.reduce(0, +) / Double(rows.count)
    }

    /// The mean over rows of the largest share: 1 where every output reads one token.
    var sharpness: Double {
        (0..<outputs).reduce(0.0) { sum, row in sum + Double((0..<read).map { self[row, $0] }.max() ?? 0) }
            / Double(outputs)
    }
}
