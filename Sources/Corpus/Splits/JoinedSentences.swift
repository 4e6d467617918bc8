import Tensors

/// Makes longer texts out of a corpus of sentences: each is a few consecutive pairs, joined by a space on both sides.
///
/// A model that has seen sentences of 14 tokens only cannot translate four of them in one go; this is what it learns
/// length from, and what length is measured on. Every sentence is in exactly one text and the order stays, so that an
/// epoch has as many words as before and tests of 1, 2, 4 and 8 sentences a text say the same in all: their BLEU can be
/// compared.
package struct JoinedSentences: Codable, Equatable, Sendable {
    /// A text of training and validation has 1 to so many sentences, each number as likely.
    package var most: Int
    /// A text of the test has exactly so many, the last one what is left; nil: as in training.
    package var test: Int?
    package var seed: UInt64

    package init(most: Int, test: Int? = nil, seed: UInt64) {
        self.most = most
        self.test = test
        self.seed = seed
    }

    package func apply(to splits: [Split: ParallelText]) -> [Split: ParallelText] {
        var joined: [Split: ParallelText] = [:]
        for (split, text) in splits {
            let exactly = split == .test ? test : nil
            joined[split] = join(text) { exactly ?? drawn($0) }
        }
        return joined
    }

    /// Sentences of text number `index`.
    private func drawn(_ index: Int) -> Int {
        1 + Int(SplitMix64.mixed(SplitMix64.mixed(seed) ^ UInt64(index)) % UInt64(most))
    }

    /// - Parameter size: how many sentences text number i shall have
    func join(_ text: ParallelText, size: (Int) -> Int) -> ParallelText {
        var result = ParallelText()
        var open = 0..<0
        func close() {
            guard !open.isEmpty else { return }
            let sides = [text.source, text.target].map { $0[open].joined(separator: " ") }
            result.append(source: sides[0], target: sides[1])
        }
        for index in 0..<text.count {
            // a pair without one side would shift the text against its translation; alone it is what the filter counts
            let isWhole = !text.source[index].isEmpty && !text.target[index].isEmpty
            if isWhole, !open.isEmpty, open.count < size(result.count) {
                open = open.lowerBound..<index + 1
                continue
            }
            close()
            open = isWhole ? index..<index + 1 : 0..<0
            if !isWhole { result.append(source: text.source[index], target: text.target[index]) }
        }
        close()
        for (reason, count) in text.skipped { result.skip(count, reason) }
        return result
    }
}

extension TokensConfiguration {
    /// Notes that the texts were made from these sentences.
    package mutating func note(_ joined: JoinedSentences, of sentences: [Split: ParallelText]) {
        self.joined = joined
        for (split, text) in sentences { splits[split.rawValue]?.sentences = text.count }
    }

    /// What scores on a split are called: equal sentences cut into other texts are another test.
    package func testSet(_ split: Split) -> String {
        "\(corpus).\(pair).\(split.rawValue)" + (joined?.size(split).map { ".join-\($0)" } ?? "")
    }
}

extension JoinedSentences {
    /// `4` or `1-8`, nil for single sentences.
    fileprivate func size(_ split: Split) -> String? {
        if split == .test, let test { return test == 1 ? nil : "\(test)" }
        return most == 1 ? nil : "1-\(most)"
    }
}
