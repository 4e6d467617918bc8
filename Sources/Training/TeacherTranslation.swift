import Corpus
import Foundation
import Kernels
import Models
import Processes

/// Sequence-level knowledge distillation, Kim and Rush 2016: a teacher's translations in place of the references.
package struct TeacherTranslation {
    private let translator: Translator
    private let mostTokens: Int
    private let group: ProcessGroup

    /// - Parameters:
    ///   - beam: hypotheses of the search
    ///   - mostTokens: tokens of a translation that is of use
    ///   - group: each process translates a part of a text and hears of the rest from the others
    package init(
        _ teacher: Transformer, weights: FloatBlock, beam: Int, mostTokens: Int, pool: WorkerPool,
        group: ProcessGroup = .shared
    ) {
        translator = Translator(teacher, weights: weights, search: SearchConfiguration(beam: beam), pool: pool)
        self.mostTokens = mostTokens
        self.group = group
    }

    /// The sources of `text` with their translations as targets. Where the search was cut off, or found nothing or more
    /// than `mostTokens` tokens, the reference stays.
    ///
    /// - Parameters:
    ///   - progress: hears of the sentences that are done, were all processes as far as this one
    ///   - stop: asked now and then; what it throws ends the work
    package func translated(
        _ text: TokenShard, progress: (Int) -> Void = { _ in }, stop: () throws -> Void = {}
    ) throws -> TokenShard {
        let own = group.rank * text.count / group.count..<(group.rank + 1) * text.count / group.count
        let found = try translator.translate(own.map { Array(text.source[$0]) }) { done in
            try stop()
            progress(min(done * group.count, text.count))
        }
        // of each sentence the number of its tokens, then these
        var numbers: [Int32] = []
        for (hypothesis, sentence) in zip(found, own) {
            let isUsable = hypothesis.isComplete && (1...mostTokens).contains(hypothesis.ids.count)
            let ids = isUsable ? hypothesis.ids[...] : text.target[sentence]
            numbers.append(Int32(ids.count))
            numbers.append(contentsOf: ids)
        }
        var result = TokenShard()
        for part in group.gather(numbers.withUnsafeBytes { Data($0) }) {
            var rest = part.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }[...]
            while let length = rest.popFirst() {
                let sentence = result.count
                result.append(
                    source: text.source[sentence].map(Int.init), target: rest.prefix(Int(length)).map(Int.init))
                rest = rest.dropFirst(Int(length))
            }
        }
        return result
    }
}
