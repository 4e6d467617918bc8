/// Decides which sentence pairs are learnt from.
package struct PairFilter: Codable, Equatable, Sendable {
    package enum Reason: String, Sendable {
        case emptySource = "empty source"
        case emptyTarget = "empty target"
        case longSource = "source too long"
        case longTarget = "target too long"
        case duplicate = "duplicate"
    }

    /// A source may have this many ids.
    package var maxTokens: Int
    /// A target may have one less, for the decoder also sees `<s>`.
    package var mostTargetTokens: Int { maxTokens - 1 }
    /// Whether a pair of which an equal one was kept is dropped.
    package var dropsDuplicates: Bool

    package init(maxTokens: Int, dropsDuplicates: Bool = false) {
        self.maxTokens = maxTokens
        self.dropsDuplicates = dropsDuplicates
    }

    /// The first reason that speaks against a pair of these many ids, duplicates aside.
    func objection(source: Int, target: Int) -> Reason? {
        if source == 0 { return .emptySource }
        if target == 0 { return .emptyTarget }
        if source > maxTokens { return .longSource }
        if target > mostTargetTokens { return .longTarget }
        return nil
    }
}
