import Tensors

/// Sentence pairs that are worked on together: the source, the decoder's input (`<s>` first) and what it is to say
/// (`</s>` last).
package struct PairBatch {
    package var source = Packed()
    package var target = Packed()
    package var labels = Labels()

    package init() {}

    package mutating func removeAll() {
        source.removeAll()
        target.removeAll()
        labels.removeAll()
    }

    package mutating func append(source: ArraySlice<Int32>, target: ArraySlice<Int32>) {
        self.source.append(sentence: source)
        self.target.append(SpecialToken.start)
        for token in target {
            self.target.append(token)
            labels.tokens.append(token)
        }
        labels.tokens.append(SpecialToken.end)
        self.target.endSentence()
    }
}

extension PairBatch {
    /// Sentences of another batch.
    mutating func append(_ other: PairBatch, _ sentences: Range<Int>) {
        for sentence in sentences {
            source.append(sentence: other.source.ids[other.source.range(sentence)])
            target.append(sentence: other.target.ids[other.target.range(sentence)])
        }
        labels.append(
            other.labels, other.target.offsets[sentences.lowerBound]..<other.target.offsets[sentences.upperBound])
    }
}

extension Labels {
    fileprivate mutating func append(_ other: Labels, _ rows: Range<Int>) {
        guard !other.tokens.isEmpty else { return }  // a batch of distillation has none
        for row in rows { tokens.append(other.tokens[row]) }
        guard let lesson = other.teacher, !lesson.ids.isEmpty else { return }
        if teacher == nil {
            teacher = Teacher(likeliest: lesson.likeliest, alpha: lesson.alpha, temperature: lesson.temperature)
        }
        for i in rows.lowerBound * lesson.likeliest..<rows.upperBound * lesson.likeliest {
            teacher!.ids.append(lesson.ids[i])
            teacher!.probabilities.append(lesson.probabilities[i])
        }
    }
}
