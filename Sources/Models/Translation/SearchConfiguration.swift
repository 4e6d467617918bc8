import Foundation
import Tensors

/// How translations are searched for.
package struct SearchConfiguration: Codable, Equatable, Sendable {
    /// Hypotheses kept at each step; 1 is greedy search.
    package var beam = 1
    /// alpha: a finished hypothesis of n tokens, `</s>` included, counts log P / n^alpha. 0 compares sums of
    /// logarithms, 1 their means; the formula is that of Marian (`--normalize`) and fairseq (`--lenpen`).
    package var lengthPenalty = 1.0
    /// A translation of a source of n tokens ends after maxLengthRatio n + maxLengthOffset tokens, `</s>` included, at
    /// the latest.
    package var maxLengthRatio = 1.5
    package var maxLengthOffset = 10
    /// Whether `<unk>` may be put out. `<s>` never is.
    package var allowsUnknown = true
    /// Every translation gets exactly this many tokens and no `</s>`: for measurements against other programs.
    package var forcedLength: Int?

    package init(beam: Int = 1) { self.beam = beam }

    /// `greedy`, `beam-4`, `beam-4.penalty-0.6`: what the registry calls it.
    package var name: String {
        let usual = SearchConfiguration()
        var name = beam == 1 ? "greedy" : "beam-\(beam)"
        if beam > 1, lengthPenalty != usual.lengthPenalty { name += ".penalty-\(lengthPenalty)" }
        if maxLengthRatio != usual.maxLengthRatio { name += ".ratio-\(maxLengthRatio)" }
        if !allowsUnknown { name += ".no-unknown" }
        if let forcedLength { name += ".length-\(forcedLength)" }
        return name
    }

    /// What makes the values unusable, in words.
    package var problem: String? {
        if !(1...64).contains(beam) { return "a beam of \(beam); 1 to 64 hypotheses can be kept" }
        if lengthPenalty < 0 { return "a length penalty of \(lengthPenalty); it must not be negative" }
        if maxLengthRatio < 0 || maxLengthOffset < 1 || forcedLength ?? 1 < 1 {
            return "translations need room for at least one token"
        }
        return nil
    }

    /// Most tokens of a translation, `</s>` included where there is one.
    func limit(source tokens: Int, positions: Int) -> Int {
        min(forcedLength ?? Int(maxLengthRatio * Double(tokens)) + maxLengthOffset, positions)
    }

    func normalised(_ logProbability: Float, length: Int) -> Float {
        logProbability / Float(pow(Double(length), lengthPenalty))
    }

    /// Tokens that may not be chosen at a step; they keep their share of the probability.
    var suppressed: [Int32] {
        [SpecialToken.start] + (allowsUnknown ? [] : [SpecialToken.unknown])
            + (forcedLength == nil ? [] : [SpecialToken.end])
    }
}

/// A translation as model tokens, without `<s>` and `</s>`.
package struct Hypothesis: Equatable, Sendable {
    package var ids: [Int32] = []
    /// log P / n^alpha; 0 for the empty translation of an empty source.
    package var score: Float = 0
    package var logProbability: Float = 0
    /// Whether it ended by itself, and not at its longest length.
    package var isComplete = true
    /// What the reader should know, such as that the source was cut.
    package var warnings: [String] = []

    package init() {}
}
