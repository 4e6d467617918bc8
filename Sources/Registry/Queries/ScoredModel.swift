import GRDB

/// A row of the leaderboard: the newest finished score of a model, a test set and a way of searching.
public struct ScoredModel: Decodable, FetchableRecord, Sendable {
    /// The score's run.
    public let run: Int64
    /// The run's folder, and the score's in it.
    public let name: String
    public let model: String
    public let search: String?
    /// Attentions that were replaced.
    public let sites: Int?
    public let parameters: Int?
    public let bleu: Double
    /// Half the width of the 95% interval of `bleu`.
    public let confidence: Double?
    /// BLEU less that of the score it was compared with, `base`, and the p of that comparison.
    public let difference: Double?
    public let p: Double?
    public let tokensPerSecond: Double?
    public let chrf: Double?
    public let paperCompat: Double?
    public let testSet: String
    public let signature: String
    public let base: Int64?
}

extension RunRegistry {
    /// The leaderboard of these runs' folders: by test set, the best BLEU first.
    public func leaderboard(of names: [String]) throws -> [ScoredModel] {
        try read { database in
            try SQLRequest<ScoredModel>(
                literal: """
                    SELECT board.run, runs.name, coalesce(runs.spec, runs.stage) AS model, board.search, board.sites, board.parameters,
                           board.BLEU AS bleu, board.confidence, board.difference, board.p, board.tokens_per_second AS tokensPerSecond,
                           board.chrF2 AS chrf, board.paper_compat AS paperCompat, board.test_set AS testSet, board.signature, board.base
                    FROM leaderboard board JOIN runs ON runs.id = board.run
                    WHERE runs.name IN \(names)
                    ORDER BY board.test_set, board.BLEU DESC, board.run
                    """
            ).fetchAll(database)
        }
    }
}
