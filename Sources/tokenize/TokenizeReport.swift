import Corpus
import Stages
import Tensors

/// A progress display for each part of the work.
final class TokenizeProgress {
    private let run: StageRun
    private var current: (label: String, progress: ProgressDisplay)?

    init(_ run: StageRun) { self.run = run }

    func update(_ label: String, _ done: Int, _ total: Int) throws {
        if current?.label != label { current = (label, run.progress(label, total: total, unit: "pairs")) }
        current?.progress.update(done)
        if done == total { current?.progress.finish(done) }
        try run.stopIfRequested()
    }
}

extension TokensConfiguration {
    /// A part that was asked for and holds nothing would be taken for one that everything is right on.
    func requireKept(_ split: Split, name: String) throws {
        guard let counts = splits[split.rawValue], counts.kept == 0 else { return }
        let dropped = counts.dropped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        throw DataError(
            path: "\(name) \(split.rawValue)", expected: "at least one sentence pair to keep",
            found: "none of \(counts.read)" + (dropped.isEmpty ? "" : " (\(dropped))"),
            hint: split == .train
                ? "give more text, or more --max-tokens"
                : "give a file for it, or hold out more (pairs that share sentences are not parted) or, on purpose, 0")
    }

    /// Counts of sentences and tokens, and drops with their reason.
    func record(in run: StageRun) {
        var values = ["vocabulary.source": sourceVocabularySize, "vocabulary.target": targetVocabularySize]
        for (split, counts) in splits {
            values["\(split).read"] = counts.read
            values["\(split).sentences"] = counts.sentences
            values["\(split).kept"] = counts.kept
            values["\(split).tokens.source"] = counts.sourceTokens
            values["\(split).tokens.target"] = counts.targetTokens
            for (reason, count) in counts.dropped { values["\(split).dropped.\(reason)"] = count }
        }
        for (name, value) in values { run.metric(name, Double(value)) }
    }

    var summary: String {
        var table = Stages.Table(
            .left(""), .right(joined == nil ? "read" : "sentences in texts"), .right("kept"),
            .right("\(source) tokens"),
            .right("\(target) tokens"), .right("unknown"), .left("dropped"))
        for split in Split.allCases {
            guard let counts = splits[split.rawValue] else { continue }
            let dropped = counts.dropped.sorted { $0.key < $1.key }.map { "\(Format.count($0.value)) \($0.key)" }
            let sentences = counts.sentences.map { Format.count($0) + " in " } ?? ""
            table.add(
                split.rawValue, sentences + Format.count(counts.read), Format.count(counts.kept),
                Format.count(counts.sourceTokens),
                Format.count(counts.targetTokens), Format.count(counts.sourceUnknown + counts.targetUnknown),
                dropped.joined(separator: ", "))
        }
        let sizes =
            joint
            ? "\(Format.count(sourceVocabularySize)) shared entries"
            : "\(Format.count(sourceVocabularySize)) and \(Format.count(targetVocabularySize)) entries"
        return "\(corpus) \(pair), \(vocabulary.kind.rawValue), \(sizes)\n\n\(table)"
    }
}
