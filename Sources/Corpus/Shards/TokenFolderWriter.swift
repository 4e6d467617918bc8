import Foundation
import Kernels
import Tensors

/// Turns the three parts of a corpus into a tokens folder: vocabularies from the training text, then shards and texts.
package struct TokenFolderWriter {
    package var corpus: String
    package var source: String
    package var target: String
    package var vocabulary: VocabularySettings
    /// One vocabulary for both languages.
    package var joint: Bool
    package var filter: PairFilter

    package init(
        corpus: String, source: String, target: String, vocabulary: VocabularySettings, joint: Bool, filter: PairFilter
    ) {
        self.corpus = corpus
        self.source = source
        self.target = target
        self.vocabulary = vocabulary
        self.joint = joint
        self.filter = filter
    }

    /// Fills `folder` with everything but the manifest, whose configuration is returned.
    ///
    /// - Parameters:
    ///   - pool: whose threads encode
    ///   - progress: told what is being done, and how many of how many sentences it has done.
    package func write(
        _ splits: [Split: ParallelText], to folder: OutputFolder, pool: WorkerPool = WorkerPool(threads: 1),
        progress: (String, Int, Int) throws -> Void = { _, _, _ in }
    ) throws -> TokensConfiguration {
        let train = splits[.train] ?? ParallelText()
        try progress("vocabulary", 0, train.count)
        let vocabularies = try learn(from: train)
        try progress("vocabulary", train.count, train.count)
        try vocabularies.source.write(side: .source, to: folder.path)
        try vocabularies.target.write(side: .target, to: folder.path)

        var configuration = TokensConfiguration(
            corpus: corpus, source: source, target: target, vocabulary: vocabulary, joint: joint,
            sourceVocabularySize: vocabularies.source.count, targetVocabularySize: vocabularies.target.count,
            maxTokens: filter.maxTokens, splits: [:])
        for split in Split.allCases {
            let encoded = try encode(splits[split] ?? ParallelText(), split, vocabularies, pool) {
                try progress(split.rawValue, $0, $1)
            }
            try encoded.shard.write(
                to: folder.path("\(split.rawValue).safetensors"),
                sourceVocabulary: vocabularies.source.count, targetVocabulary: vocabularies.target.count)
            if split != .train {
                try Self.write(encoded.text.source, to: folder.path("\(split.rawValue).source.txt"))
                try Self.write(encoded.text.target, to: folder.path("\(split.rawValue).target.txt"))
            }
            configuration.splits[split.rawValue] = encoded.statistics
        }
        return configuration
    }

    private func learn(from train: ParallelText) throws -> (source: Vocabulary, target: Vocabulary) {
        if joint {
            let both = try Vocabulary.learn(from: train.source + train.target, vocabulary, name: "\(corpus) train")
            return (both, both)
        }
        return (
            try Vocabulary.learn(from: train.source, vocabulary, name: "\(corpus) train \(source)"),
            try Vocabulary.learn(from: train.target, vocabulary, name: "\(corpus) train \(target)")
        )
    }

    private static func write(_ lines: [String], to path: String) throws {
        try FileSystem.writeAtomically(Data(lines.map { $0 + "\n" }.joined().utf8), to: path)
    }
}

// MARK: - Encoding

extension TokenFolderWriter {
    private struct Encoded {
        var shard = TokenShard()
        var text = ParallelText()
        var statistics = SplitStatistics()
    }

    private typealias IDs = (source: [Int], target: [Int])

    /// Pairs that are encoded before they are looked at, and how many of them one thread takes.
    private static let atATime = 8192
    private static let taskPairs = 64

    /// Ids of some pairs, on all threads.
    private static func ids(
        _ text: ParallelText, _ range: Range<Int>, _ vocabularies: (source: Vocabulary, target: Vocabulary),
        _ pool: WorkerPool
    ) -> [IDs] {
        var result = [IDs](repeating: ([], []), count: range.count)
        result.withUnsafeMutableBufferPointer { result in
            pool.run((range.count + taskPairs - 1) / taskPairs) { task in
                for place in task * taskPairs..<min((task + 1) * taskPairs, range.count) {
                    let index = range.lowerBound + place
                    result[place] = (
                        vocabularies.source.encode(text.source[index]), vocabularies.target.encode(text.target[index])
                    )
                }
            }
        }
        return result
    }

    /// Ids of what passes the filter, which is everything in the test set.
    private func encode(
        _ text: ParallelText, _ split: Split, _ vocabularies: (source: Vocabulary, target: Vocabulary),
        _ pool: WorkerPool, progress: (Int, Int) throws -> Void
    ) rethrows -> Encoded {
        var result = Encoded()
        var seen: Set<String> = []
        result.statistics.read = text.count
        result.statistics.dropped = text.skipped
        var pairs: [IDs] = [], first = 0
        for index in 0..<text.count {
            if index == first + pairs.count {
                try progress(index, text.count)
                first = index
                pairs = Self.ids(text, index..<min(index + Self.atATime, text.count), vocabularies, pool)
            }
            let ids = pairs[index - first]
            if split != .test {
                var reason = filter.objection(source: ids.source.count, target: ids.target.count)
                if reason == nil, filter.dropsDuplicates,
                    !seen.insert(text.source[index] + "\n" + text.target[index]).inserted
                {
                    reason = .duplicate
                }
                if let reason {
                    result.statistics.dropped[reason.rawValue, default: 0] += 1
                    continue
                }
            }
            result.shard.append(source: ids.source, target: ids.target)
            if split != .train { result.text.append(source: text.source[index], target: text.target[index]) }
            result.statistics.count(ids.source, ids.target)
        }
        try progress(text.count, text.count)
        return result
    }
}

extension SplitStatistics {
    fileprivate mutating func count(_ source: [Int], _ target: [Int]) {
        kept += 1
        sourceTokens += source.count
        targetTokens += target.count
        sourceUnknown += source.count { $0 == Int(SpecialToken.unknown) }
        targetUnknown += target.count { $0 == Int(SpecialToken.unknown) }
    }
}
