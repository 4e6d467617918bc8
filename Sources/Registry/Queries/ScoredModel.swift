import GRDB

/// A row of the leaderboard: the last finished score of a model, a test set and a way of searching.
package struct ScoredModel: Decodable, FetchableRecord, Sendable {
    /// The score's run.
    package let run: Int64
    /// The run's folder, and the score's in it.
    package let name: String
    package let model: String
    package let search: String?
    /// Attentions that were replaced.
    package let replaced: Int?
    /// What stands in their place, as specs joined by `+`; empty of a model with all its attentions.
    package let networks: String?
    /// That these were trained where they stand.
    package let isInPlace: Bool?
    package let parameters: Int?
    package let bleu: Double
    /// Half the width of the 95% interval of `bleu`.
    package let confidence: Double?
    /// BLEU less that of the score it was compared with, `base`, and the p of that comparison.
    package let difference: Double?
    package let p: Double?
    package let tokensPerSecond: Double?
    package let chrf: Double?
    package let paperCompat: Double?
    package let testSet: String
    /// What tells its text from another of that name.
    package let testText: String?
    package let signature: String
    package let base: Int64?
    /// How `base` was searched.
    package let baseSearch: String?
    /// That the teacher it is compared with has been made anew since.
    package let isOutdated: Bool
}

extension RunRegistry {
    /// The leaderboard of these runs' folders: by test set, the best BLEU first.
    package func leaderboard(of names: [String]) throws -> [ScoredModel] {
        func param(_ key: String, of run: String = "run") -> String {
            "(SELECT value FROM params WHERE params.run = board.\(run) AND key = '\(key)')"
        }
        return try read { database in
            try SQLRequest<ScoredModel>(
                literal: """
                    SELECT board.run, runs.name, coalesce(runs.spec, runs.stage) AS model, board.search, board.replaced,
                           \(sql: param("networks")) AS networks, \(sql: param("in_place")) AS isInPlace,
                           board.parameters, board.BLEU AS bleu, board.confidence, board.difference, board.p,
                           board.tokens_per_second AS tokensPerSecond, board.chrF2 AS chrf,
                           board.paper_compat AS paperCompat, board.test_set AS testSet,
                           board.test_text AS testText, board.signature, board.base,
                           \(sql: param("search", of: "base")) AS baseSearch, board.outdated AS isOutdated
                    FROM leaderboard board JOIN runs ON runs.id = board.run
                    WHERE runs.name IN \(names)
                    ORDER BY board.test_set, board.BLEU DESC, board.run
                    """
            ).fetchAll(database)
        }
    }
}
