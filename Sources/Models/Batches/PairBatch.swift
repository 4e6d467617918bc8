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
