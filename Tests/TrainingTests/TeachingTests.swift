import Corpus
import Foundation
import Kernels
import Models
import Tensors
import Testing

@testable import Training

/// Training in place: a model with networks in attentions' places learns from its teacher.
struct TeachingTests {
    private let teacher: Transformer
    private let weights: FloatBlock
    private let pool = WorkerPool(threads: 2)

    init() throws {
        let bench = Workbench(), trainee = bench.trainee()
        _ = try bench.trainer(trainee).run()
        (teacher, weights) = (trainee.model, trainee.weights)
    }

    /// The teacher with networks in the places of all its attentions, all else its own.
    private func student(_ specs: [String]) throws -> (Transformer, FloatBlock) {
        let model = Transformer(
            teacher.configuration, try Replacements(specs.map(Spec.init(parsing:)), in: teacher.configuration))
        let own = model.layout.initialized(seed: 9),
            names = Dictionary(uniqueKeysWithValues: teacher.layout.slots.map { ($0.name, $0) })
        for slot in model.slots(of: nil) {
            (own.base + slot.offset).update(from: weights.base + names[slot.name]!.offset, count: slot.count)
        }
        return (model, own)
    }

    private func trainee(
        _ specs: [String], _ change: (inout TeachingSettings) -> Void = { _ in }, threads: Int = 2
    ) throws -> TransformerTrainee {
        var teaching = TeachingSettings(), settings = TransformerTrainee.Settings()
        change(&teaching)
        (settings.batchTokens, settings.clip, settings.teaching) = (100, 1, teaching)
        let (model, own) = try student(specs), pool = WorkerPool(threads: threads), train = reversal(300, seed: 1)
        let lessons = try TeacherLessons(teacher, weights: weights, train, teaching, pool: pool)
        return TransformerTrainee(
            model, weights: own, train: train, valid: reversal(30, seed: 2), settings: settings, lessons: lessons,
            pool: pool)
    }

    private func run(_ trainee: TransformerTrainee, epochs: Int, averaged: Int = 1) throws {
        let bench = Workbench()
        var settings = TrainingSettings(epochs: epochs, schedule: Schedule(.cosine, peak: 5e-3, warmup: 10))
        settings.averaged = averaged
        _ = try Trainer(trainee, settings: settings, folder: bench.folder, key: "k").run()
    }

    @Test(arguments: [
        ["mix-k4r8.encoder.0", "mix-k4.decoder.0", "mix-k4r8.cross.0"],
        ["slots-k4d2.encoder.0", "slots-k4d2.decoder.0", "slots-k4d2.cross.0"],
        ["alr-h16.encoder.0", "alr-h16.decoder.0", "alr-h16.cross.0"], ["elr-h16.encoder.0"],
    ])
    func networksLearnAndTheRestStays(_ specs: [String]) throws {
        let trainee = try trainee(specs), before = try trainee.validate(epoch: 0).loss
        let kept = trainee.model.slots(of: nil).map { Array(trainee.weights.buffer[$0.range]) }
        try run(trainee, epochs: 4)
        let after = try trainee.validate(epoch: 0).loss
        #expect(after < before - 0.05, "\(specs): \(before) to \(after)")
        for (slot, values) in zip(trainee.model.slots(of: nil), kept) {
            #expect(Array(trainee.weights.buffer[slot.range]) == values, "\(slot.name)")
        }
    }

    /// Each is the search's alone; a reference stays where the search gave nothing of use.
    @Test func translationsStandInPlaceOfReferences() throws {
        let text = reversal(40, seed: 3), search = SearchConfiguration(beam: 3)
        let found = Translator(teacher, weights: weights, search: search, pool: WorkerPool(threads: 1))
            .translate((0..<text.count).map { Array(text.source[$0]) })
        #expect(Set(found.map(\.ids.count)).count > 2, "translations of one length show nothing of the bound")
        let most = found.map(\.ids.count).sorted()[text.count / 2]
        for threads in [1, 2] {
            let translated = try TeacherTranslation(
                teacher, weights: weights, beam: 3, mostTokens: most, pool: WorkerPool(threads: threads)
            ).translated(text)
            #expect(translated.source == text.source)
            var kept = 0
            for (sentence, hypothesis) in found.enumerated() {
                let isUsable = hypothesis.isComplete && !hypothesis.ids.isEmpty && hypothesis.ids.count <= most
                #expect(translated.target[sentence] == (isUsable ? hypothesis.ids[...] : text.target[sentence]))
                kept += isUsable ? 0 : 1
            }
            #expect((1..<text.count).contains(kept))
        }
    }

    /// Of a teacher that never ends, and of one that always does.
    @Test func whatIsCutOffOrEmptyIsNotLearnt() throws {
        let text = reversal(10, seed: 3), untaught = teacher.layout.initialized(seed: 1)
        let end = teacher.layout.slots.first { $0.name == "output.bias" }!
        let ends: [Float] = [-100, 100]  // never, and at once
        for bias in ends {
            untaught.base[end.offset + Int(SpecialToken.end)] = bias
            let translation = TeacherTranslation(teacher, weights: untaught, beam: 1, mostTokens: 1000, pool: pool)
            #expect(try translation.translated(text) == text, "bias \(bias)")
            #expect(try translation.translated(TokenShard()).count == 0)
        }
    }

    /// The choice of epochs goes by what is learnt, the likelihood of references can be compared.
    @Test func validationLossIsThatOfTheTranslations() throws {
        let (model, own) = try student(["mix-k4r8.cross.0"]), settings = TransformerTrainee.Settings()
        let (a, b) = (reversal(30, seed: 2), reversal(30, seed: 4))
        func validation(_ valid: TokenShard, _ translations: TokenShard?) throws -> Validation {
            try TransformerTrainee(
                model, weights: own, train: reversal(9, seed: 1), valid: valid, validTranslations: translations,
                settings: settings, pool: pool
            ).validate(epoch: nil)
        }
        let both = try validation(a, b), nll = MetricKey(.valid, .nll)
        let first = try validation(a, nil), second = try validation(b, nil)
        #expect(both.loss == second.loss && both.loss != first.loss)
        #expect(both.metrics[nll] == first.metrics[nll] && both.metrics[nll] != second.metrics[nll])
    }

    /// A mean of the same number is that number, to the bit.
    @Test(arguments: [3, 5]) func averagedNetworksLeaveTheRest(averaged: Int) throws {
        let trainee = try trainee(["mix-k4r8.cross.0"])
        let kept = trainee.model.slots(of: nil).map { Array(trainee.weights.buffer[$0.range]) }
        try run(trainee, epochs: 6, averaged: averaged)
        for (slot, values) in zip(trainee.model.slots(of: nil), kept) {
            #expect(Array(trainee.weights.buffer[slot.range]) == values, "\(slot.name)")
        }
    }

    /// A teacher without a share in the loss is not asked, and changes nothing.
    @Test func withoutAShareTheTeacherChangesNothing() throws {
        let specs = ["mix-k4r8.cross.0"]
        let results = try [Float(1), 2].map { temperature in
            let trainee = try trainee(specs) { ($0.alpha, $0.temperature) = (0, temperature) }
            try run(trainee, epochs: 1)
            return trainee.weights.buffer.map(\.bitPattern)
        }
        #expect(results[0] == results[1])
        var settings = TeachingSettings()
        settings.alpha = 0
        var asked = 0
        _ = try TeacherLessons(teacher, weights: weights, reversal(9, seed: 1), settings, pool: pool) { asked += $0 }
        #expect(asked == 0)
    }

    @Test func allLearnsMore() throws {
        let specs = ["mix-k4.cross.0"], trainee = try trainee(specs) { $0.trainable = .all }
        let slot = trainee.model.layout.slots.first { $0.name == "decoder.0.feedforward.up.weight" }!,
            before = Array(trainee.weights.buffer[slot.range])
        try run(trainee, epochs: 1)
        #expect(Array(trainee.weights.buffer[slot.range]) != before)
    }

    @Test func threadsDoNotChangeABit() throws {
        let results = try [1, 2, 3].map { threads in
            let trainee = try trainee(["mix-k4.encoder.0", "slots-k4d2.cross.0"], threads: threads)
            try run(trainee, epochs: 1)
            return trainee.weights.buffer.map(\.bitPattern)
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    /// Contexts that are to come near to the teacher's do.
    @Test func matchingBringsContextsNearer() throws {
        let specs = ["mix-k4.encoder.0", "mix-k4.decoder.0", "mix-k4r8.cross.0"], batch = shard(300, seed: 1)
        let losses = try [nil, 5].map { (weight: Float?) in
            let trainee = try trainee(specs) { $0.matching = weight }
            try run(trainee, epochs: 2)
            let matching = ContextMatching(
                teacher, weights: weights, trainee.model, weight: 1, sample: batch, pool: pool)
            func loss(_ matching: ContextMatching?) -> Double {
                BatchGradient(trainee.model, weights: trainee.weights, trained: [], matching: matching, pool: pool)
                    .run(batch, smoothing: 0, scale: 1, randomness: .off, into: FloatBlock(trainee.weights.count)).loss
            }
            return loss(matching) - loss(nil)
        }
        #expect(losses[1] < 0.8 * losses[0], "\(losses)")
    }

    private func shard(_ count: Int, seed: UInt64) -> PairBatch {
        let shard = reversal(count, seed: seed)
        var batch = PairBatch()
        for sentence in 0..<count { batch.append(source: shard.source[sentence], target: shard.target[sentence]) }
        return batch
    }

    /// What the lessons hold is what the teacher's logits say, sentence by sentence.
    @Test(arguments: [Float(1), 2]) func lessonsAreTheTeachersLikeliest(temperature: Float) throws {
        var settings = TeachingSettings()
        (settings.likeliest, settings.temperature) = (3, temperature)
        let shard = reversal(40, seed: 4),
            lessons = try TeacherLessons(teacher, weights: weights, shard, settings, pool: pool)
        let space = Workspace(), trace = TransformerTrace()
        for sentence in [0, 7, 39] {
            space.reset()
            var batch = PairBatch()
            batch.append(source: shard.source[sentence], target: shard.target[sentence])
            batch.labels.teacher = lessons.labels
            lessons.append(sentence, of: shard, to: &batch.labels)
            let logits = teacher.logits(batch, trace: trace, Pass(weights: weights, workspace: space)),
                labels = batch.labels.teacher!
            #expect(labels.ids.count == 3 * logits.rows)
            for row in 0..<logits.rows {
                let z = (0..<logits.columns).map { Double(logits[row, $0] / temperature) }, top = z.max()!
                let sum = z.reduce(0) { $0 + exp($1 - top) }, order = z.indices.sorted { z[$0] > z[$1] }
                for place in 0..<3 {
                    #expect(Int(labels.ids[row * 3 + place]) == order[place])
                    #expect(
                        abs(Double(labels.probabilities[row * 3 + place]) - exp(z[order[place]] - top) / sum) < 1e-5)
                }
            }
        }
    }
}
