import Kernels
import Tensors

/// Beam search over a batch of sentences; with a beam of one, greedy search. One a thread, used for one batch after
/// another.
///
/// At each step a sentence looks at the likeliest continuations of its hypotheses, as many as its beam is wide. Those
/// that end are set aside with their normalised score, and the beam narrows by one for each; so do those that reach the
/// longest length. A sentence leaves the batch when its beam is empty, or when nothing in it can still beat the best
/// that was set aside: log P only falls, so a hypothesis ends at no more than log P / (longest length)^alpha. Ties go
/// to the earlier hypothesis, then to its likelier token, then to the lower, so that the result is a function of the
/// sentence alone.
final class BeamSearch {
    private let configuration: SearchConfiguration
    private let decoder: IncrementalDecoder
    private let positions: Int
    private let suppressed: [Int32]
    private var history = TokenHistory()
    private var sentences: [Sentence] = []
    private var rows = StepRows()
    /// The hypotheses of `rows`, and those of the next step while they are chosen.
    private var hypotheses: [Growing] = []
    private var next: [Growing] = []
    private var candidates = Candidates()
    private var chosen: [Continuation] = []

    init(_ model: TranslationModel, _ configuration: SearchConfiguration) {
        self.configuration = configuration
        decoder = IncrementalDecoder(model)
        positions = model.maximumTarget
        suppressed = configuration.suppressed
    }

    /// A hypothesis in the batch.
    private struct Growing {
        let sentence: Int
        let slot: Int
        /// Its newest token in `history`.
        let end: Int
        let logProbability: Float
    }

    private struct Continuation {
        /// Index of the hypothesis that it continues.
        let parent: Int
        let token: Int32
        let logProbability: Float
    }

    private struct Sentence {
        let limit: Int
        var width: Int
        var best: (end: Int, score: Float, logProbability: Float, isComplete: Bool)?
    }

    /// - Parameter sources: none of them empty
    func run(_ sources: Packed) -> [Hypothesis] {
        begin(sources)
        var position = 0
        while !hypotheses.isEmpty {
            fillRows(sources, position: position)
            decoder.step(rows, k: configuration.beam, suppressed: suppressed, into: &candidates)
            next.removeAll(keepingCapacity: true)
            var first = 0
            while first < hypotheses.count {
                var end = first + 1
                while end < hypotheses.count, hypotheses[end].sentence == hypotheses[first].sentence { end += 1 }
                advance(hypotheses[first].sentence, rows: first..<end, length: position + 1)
                first = end
            }
            swap(&hypotheses, &next)
            position += 1
        }
        return sentences.map(result)
    }

    private func begin(_ sources: Packed) {
        decoder.begin(sources, slots: sources.sentences * configuration.beam)
        history.removeAll()
        sentences.removeAll(keepingCapacity: true)
        hypotheses.removeAll(keepingCapacity: true)
        for s in 0..<sources.sentences {
            let limit = configuration.limit(source: sources.length(s), positions: positions)
            sentences.append(Sentence(limit: limit, width: configuration.beam))
            hypotheses.append(
                Growing(
                    sentence: s, slot: s * configuration.beam, end: history.add(SpecialToken.start, after: -1),
                    logProbability: 0))
        }
    }

    private func fillRows(_ sources: Packed, position: Int) {
        rows.removeAll()
        for hypothesis in hypotheses {
            rows.tokens.append(history.token(hypothesis.end))
            rows.slots.append(Int32(hypothesis.slot))
            rows.sentences.append(Int32(hypothesis.sentence))
            rows.sourceLengths.append(Int32(sources.length(hypothesis.sentence)))
        }
        rows.setPosition(position)
    }

    /// One sentence's next hypotheses. `length`: tokens that its continuations have.
    private func advance(_ s: Int, rows: Range<Int>, length: Int) {
        choose(rows, width: sentences[s].width)
        let isLast = length >= sentences[s].limit, start = next.count
        for continuation in chosen {
            let parent = hypotheses[continuation.parent], ends = continuation.token == SpecialToken.end
            if ends || isLast {
                let end = ends ? parent.end : history.add(continuation.token, after: parent.end)
                finish(s, end: end, continuation.logProbability, length: length, isComplete: ends)
            } else {
                next.append(
                    Growing(
                        sentence: s, slot: continuation.parent, end: history.add(continuation.token, after: parent.end),
                        logProbability: continuation.logProbability))
            }
        }
        if let best = sentences[s].best, next.count > start,
            best.score >= configuration.normalised(next[start].logProbability, length: sentences[s].limit)
        {
            next.removeSubrange(start...)
        }
        assignSlots(from: start, positions: length)
    }

    /// The `width` likeliest continuations of some hypotheses, best first; equal ones in the order of rows and of
    /// tokens.
    private func choose(_ rows: Range<Int>, width: Int) {
        let k = configuration.beam
        chosen.removeAll(keepingCapacity: true)
        for row in rows {
            for rank in row * k..<(row + 1) * k {
                let logProbability = hypotheses[row].logProbability + candidates.logProbabilities[rank]
                guard logProbability > -.infinity else { break }
                if chosen.count == width {
                    guard logProbability > chosen[width - 1].logProbability else { break }
                    chosen.removeLast()
                }
                var place = chosen.count
                while place > 0, chosen[place - 1].logProbability < logProbability { place -= 1 }
                chosen.insert(
                    Continuation(parent: row, token: candidates.tokens[rank], logProbability: logProbability), at: place
                )
            }
        }
    }

    private func finish(_ s: Int, end: Int, _ logProbability: Float, length: Int, isComplete: Bool) {
        sentences[s].width -= 1
        let score = configuration.normalised(logProbability, length: length)
        if score > sentences[s].best?.score ?? -.infinity {
            sentences[s].best = (end, score, logProbability, isComplete)
        }
    }

    /// A parent's first child takes over its slot and with it what is remembered; the others get a copy in a free slot.
    /// Until now `slot` of `next[start...]` is the parent's index.
    private func assignSlots(from start: Int, positions: Int) {
        let first = next.count > start ? next[start].sentence * configuration.beam : 0
        var used: UInt64 = 0
        for index in start..<next.count { used |= 1 << UInt64(hypotheses[next[index].slot].slot - first) }
        var inherited: UInt64 = 0
        for index in start..<next.count {
            let child = next[index], own = hypotheses[child.slot].slot
            var slot = own
            if inherited & (1 << UInt64(own - first)) == 0 {
                inherited |= 1 << UInt64(own - first)
            } else {
                slot = first + (~used).trailingZeroBitCount
                used |= 1 << UInt64(slot - first)
                decoder.copy(from: own, to: slot, positions: positions)
            }
            next[index] = Growing(
                sentence: child.sentence, slot: slot, end: child.end, logProbability: child.logProbability)
        }
    }

    private func result(_ sentence: Sentence) -> Hypothesis {
        var hypothesis = Hypothesis()
        guard let best = sentence.best else {
            hypothesis.isComplete = false
            hypothesis.warnings = ["no translation: the model's probabilities are not numbers"]
            return hypothesis
        }
        hypothesis.ids = history.ids(to: best.end)
        (hypothesis.score, hypothesis.logProbability, hypothesis.isComplete) = (
            best.score, best.logProbability, best.isComplete
        )
        return hypothesis
    }
}

/// Tokens of all hypotheses, each pointing to the one before it.
private struct TokenHistory {
    private var tokens: [Int32] = []
    private var previous: [Int32] = []

    mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
    }

    mutating func add(_ token: Int32, after index: Int) -> Int {
        tokens.append(token)
        previous.append(Int32(index))
        return tokens.count - 1
    }

    func token(_ index: Int) -> Int32 { tokens[index] }

    /// From the first token after `<s>` on.
    func ids(to end: Int) -> [Int32] {
        var count = 0, index = end
        while previous[index] >= 0 {
            count += 1
            index = Int(previous[index])
        }
        var result = [Int32](repeating: 0, count: count)
        index = end
        for place in result.indices.reversed() {
            result[place] = tokens[index]
            index = Int(previous[index])
        }
        return result
    }
}
