import Corpus
import Foundation
import Kernels
import Models
import Processes

extension TokenShard {
    /// The same sources with a teacher's translations as targets: sequence-level knowledge distillation, Kim and Rush
    /// 2016. Where its search was cut off, or found nothing or more than `most` tokens, the reference stays.
    ///
    /// - Parameters:
    ///   - beam: hypotheses of the search
    ///   - group: each process translates a part and hears of the rest from the others
    ///   - progress: hears of the sentences that are done, were all processes as far as this one
    ///   - stop: asked now and then; what it throws ends the work
    package func translated(
        by teacher: Transformer, weights: FloatBlock, beam: Int, most: Int, pool: WorkerPool,
        group: ProcessGroup = .shared, progress: (Int) -> Void = { _ in }, stop: () throws -> Void = {}
    ) throws -> TokenShard {
        let own = group.rank * count / group.count..<(group.rank + 1) * count / group.count
        let translator = Translator(teacher, weights: weights, search: SearchConfiguration(beam: beam), pool: pool)
        let found = try translator.translate(own.map { Array(source[$0]) }) { done in
            try stop()
            progress(min(done * group.count, count))
        }
        // of each sentence the number of its tokens, then these
        var numbers: [Int32] = []
        for (hypothesis, sentence) in zip(found, own) {
            let isUsable = hypothesis.isComplete && (1...most).contains(hypothesis.ids.count)
            let ids = isUsable ? hypothesis.ids[...] : target[sentence]
            numbers.append(Int32(ids.count))
            numbers.append(contentsOf: ids)
        }
        var result = TokenShard()
        for part in group.gather(numbers.withUnsafeBytes { Data($0) }) {
            var rest = part.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }[...]
            while let length = rest.popFirst() {
                let sentence = result.count
                result.append(source: source[sentence].map(Int.init), target: rest.prefix(Int(length)).map(Int.init))
                rest = rest.dropFirst(Int(length))
            }
        }
        return result
    }
}
