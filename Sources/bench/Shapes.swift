import Corpus
import Kernels
import Models
import Stages
import Training

extension Session {
    /// Teacher training when one thing is changed: speed and memory beside those of the plain shape.
    func shapes() {
        measureShape("plain shape", configuration, train)
        vary("vocabulary x 2") {
            $0.targetVocabulary *= 2; $0.sourceVocabulary *= 2
        }
        vary("vocabulary x 4") {
            $0.targetVocabulary *= 4; $0.sourceVocabulary *= 4
        }
        vary("width and hidden x 2") {
            $0.width *= 2; $0.hidden *= 2
        }
        vary("width and hidden x 4") {
            $0.width *= 4; $0.hidden *= 4
        }
        vary("layers x 2") {
            $0.encoderLayers *= 2; $0.decoderLayers *= 2
        }
        measureShape("sentences x 2", configuration, train.joined(2))
        measureShape("sentences x 4", configuration, train.joined(4))
        measureShape("corpus / 4", configuration, train.prefix(train.count / 4))
        measureShape("batches x 2", configuration, train, batchTokens: 2 * TransformerTrainee.Settings().batchTokens)
    }

    private func vary(_ name: String, _ change: (inout TransformerConfiguration) -> Void) {
        var changed = configuration
        change(&changed)
        measureShape(name, changed, train)
    }

    private func measureShape(
        _ name: String, _ shape: TransformerConfiguration, _ shard: TokenShard,
        batchTokens: Int = TransformerTrainee.Settings().batchTokens
    ) {
        guard shard.count > 0 else { return }  // no texts short enough for a model
        let threads = threadCounts.last!
        ThisMachine.resetPeakResidentBytes()
        var settings = TransformerTrainee.Settings()
        settings.batchTokens = batchTokens
        let rate = stopwatch.rate(TrainingWork(shape, shard, settings, pool: WorkerPool(threads: threads)).step)
        add(
            .shapes, name, threads: threads, rate, "target tokens/s",
            note: "peak memory \(ThisMachine.peakResidentBytes >> 20) MiB")
    }
}

extension TokenShard {
    /// Each `count` neighbouring sentences as one, but for those that would be longer than a model takes.
    fileprivate func joined(_ count: Int) -> TokenShard {
        var result = TokenShard()
        for start in stride(from: 0, to: self.count - count + 1, by: count) {
            let range = start..<start + count
            let longest = max(range.reduce(0) { $0 + source[$1].count }, range.reduce(0) { $0 + target[$1].count })
            guard longest < TransformerConfiguration.mostTokens else { continue }
            result.append(
                source: range.flatMap { source[$0].map { Int($0) } },
                target: range.flatMap { target[$0].map { Int($0) } })
        }
        return result
    }
}
