import Corpus
import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

/// A corpus that can be learnt in a few hundred steps: the target is the source backwards.
func reversal(_ count: Int, seed: UInt64) -> TokenShard {
    var random = SplitMix64(seed: seed), shard = TokenShard()
    for _ in 0..<count {
        let sentence = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 3..<12, using: &random) }
        shard.append(source: sentence, target: sentence.reversed())
    }
    return shard
}

struct Workbench {
    private let root = TemporaryFolder("trainer")
    var folder: String { root.path }
    var settings = TrainingSettings(epochs: 4, schedule: Schedule(.cosine, peak: 5e-3, warmup: 20))
    var dropout: Float = 0.1
    var sentences = 300
    var batchTokens = 100
    var clip: Float?
    var muon: Muon?

    func trainee(threads: Int = 1) -> TransformerTrainee { trainee(WorkerPool(threads: threads)) }

    func trainee(_ pool: WorkerPool) -> TransformerTrainee {
        var shape = TransformerConfiguration(sourceVocabulary: 12, targetVocabulary: 12)
        (shape.width, shape.heads, shape.hidden, shape.encoderLayers, shape.decoderLayers) = (16, 2, 32, 1, 1)
        (shape.embeddingDropout, shape.attentionDropout, shape.hiddenDropout, shape.residualDropout) = (
            dropout, dropout, dropout, dropout
        )
        var settings = TransformerTrainee.Settings()
        (settings.batchTokens, settings.clip, settings.muon) = (batchTokens, clip, muon)
        return TransformerTrainee(
            Transformer(shape), train: reversal(sentences, seed: 1), valid: reversal(30, seed: 2), settings: settings,
            pool: pool)
    }

    func trainer(_ trainee: Trainee, key: String = "k") -> Trainer {
        Trainer(trainee, settings: settings, folder: folder, key: key, checkpointSeconds: 0)
    }

    /// Removes what a training has left there.
    func empty() throws {
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
}

@Suite struct TrainerTests {
    @Test(arguments: [nil, Muon()]) func learnsToReverse(muon: Muon?) throws {
        var bench = Workbench()
        bench.muon = muon
        bench.settings.epochs = 40
        bench.dropout = 0
        let trainee = bench.trainee(), before = try trainee.validate(epoch: 0)
        #expect(try bench.trainer(trainee).run() == .finished)
        let after = try trainee.validate(epoch: 0)
        #expect(
            after.metrics[MetricKey(.valid, .nll)]! < 0.35 * before.metrics[MetricKey(.valid, .nll)]!,
            "from \(before) to \(after)")
    }

    /// A rate that only ever rises is seldom what anybody wants.
    @Test(arguments: [0, 1]) func aWarmupThatIsNeverOverIsSaid(further: Int) throws {
        var bench = Workbench(), steps = 0
        bench.settings.epochs = 1
        _ = try bench.trainer(bench.trainee()).run(observing { $0.didStep = { _ in steps += 1 } })
        try bench.empty()
        bench.settings.schedule.warmup = steps + further
        var notes: [String] = []
        _ = try bench.trainer(bench.trainee()).run(observing { $0.note = { notes.append($0) } })
        #expect(notes.contains { $0.hasPrefix("\(steps) steps are over before a warm-up of ") } == (further > 0))
    }

    private func observing(_ change: (inout TrainingObserver) -> Void) -> TrainingObserver {
        var observer = TrainingObserver()
        change(&observer)
        return observer
    }

    @Test(arguments: [nil, Muon()]) func threadsDoNotChangeABit(muon: Muon?) throws {
        let results = try [1, 2, 3].map { threads in
            var bench = Workbench()
            bench.muon = muon
            let trainee = bench.trainee(threads: threads)
            _ = try bench.trainer(trainee).run()
            return bits(trainee.weights)
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    /// Asked to stop after any step, and started anew each time, it ends with the bits of a run that was left alone;
    /// with several snapshots to average, too.
    @Test(arguments: [1, 3], [nil, Muon()]) func interruptionsDoNotChangeABit(averaged: Int, muon: Muon?) throws {
        var bench = Workbench()
        bench.muon = muon
        bench.settings.averaged = averaged
        let whole = bench.trainee()
        _ = try bench.trainer(whole).run()
        try bench.empty()

        var pieces = whole
        let runs = try runInPieces(of: 7) { _ in
            pieces = bench.trainee()
            return bench.trainer(pieces)
        }
        #expect(runs > 4)
        #expect(bits(pieces.weights) == bits(whole.weights))
    }

    /// Asked to stop at the last step of all, in the middle of an epoch: that epoch is ended by whoever goes on.
    @Test func aStopAtTheLastStepChangesNothing() throws {
        var bench = Workbench()
        bench.settings.maxSteps = 7
        func train(inPiecesOf length: Int) throws -> (epoch: Int, loss: Double?, weights: [UInt32], epochs: [Int]) {
            try bench.empty()
            var trainer: Trainer!, trainee: TransformerTrainee!, ended: [Int] = []
            _ = try runInPieces(of: length, ending: { ended.append($0.step) }) { _ in
                trainee = bench.trainee()
                trainer = bench.trainer(trainee)
                return trainer
            }
            return (trainer.state.epoch, trainer.state.resultLoss, bits(trainee.weights), ended)
        }
        let whole = try train(inPiecesOf: 100), stopped = try train(inPiecesOf: 7)
        #expect(whole.epoch == 1 && whole.loss != nil && whole.epochs == [7])
        let same = stopped == whole
        #expect(same)
    }

    /// Gains would decay towards zero, and biases have nothing to overfit with.
    @Test func onlyMatricesDecay() throws {
        var layout = ParameterLayout()
        let slots = [
            layout.add("gain", [20], .constant(1)),
            layout.add("matrix", [300, 200], .xavier(fanIn: 200, fanOut: 300)),
            layout.add("bias", [3], .constant(1)), layout.add("bias of heads", [2, 5], .constant(1)),
        ]
        let weights = FloatBlock(layout.count), gradient = FloatBlock(layout.count)
        weights.buffer.update(repeating: 1)
        var settings = Adam.Settings()
        settings.decay = 0.5
        let adam = Adam(settings, count: layout.count)
        WeightUpdate([0..<layout.count], of: layout.slots)(
            weights, gradient, adam, adam.constants(step: 1, rate: 0.5), pool: WorkerPool(threads: 2))
        for slot in slots {
            let values = (0..<slot.count).map { weights.base[slot.offset + $0] }
            #expect(values.allSatisfy { $0 == (slot.name == "matrix" ? 0.75 : 1) }, "\(slot.name)")
        }
    }

    /// Killed between two checkpoints: what came after the last one is done again.
    @Test func aKillAfterACheckpointDoesNotChangeABit() throws {
        struct Killed: Error {}
        let bench = Workbench()
        let whole = bench.trainee()
        _ = try bench.trainer(whole).run()
        try bench.empty()

        let killed = bench.trainee()
        let trainer = Trainer(killed, settings: bench.settings, folder: bench.folder, key: "k", checkpointSeconds: 1e9)
        killed.validationBLEU = { epoch, _ in
            if epoch == 2 { throw Killed() }
            return nil
        }
        #expect(throws: Killed.self) { try trainer.run() }
        let resumed = bench.trainee()
        var from: Int?
        var observer = TrainingObserver()
        observer.didResume = { from = $0 }
        _ = try bench.trainer(resumed).run(observer)
        #expect(from.map { $0 > 0 } == true)
        #expect(bits(resumed.weights) == bits(whole.weights))
    }

    /// Whatever is wrong with it, the message says what goes on: one of them was of no help, since deleting is left.
    @Test(
        arguments: [
            ("a number", { $0[$0.count - 3] ^= 1 }), ("cut short", { $0.removeLast(100) }),
            ("the header's length", { $0[2] ^= 1 }), ("the header", { $0[9] ^= 1 }), ("emptied", { $0 = Data() }),
        ] as [(String, @Sendable (inout Data) -> Void)])
    func aDamagedCheckpointIsRefused(_ what: String, _ damage: @Sendable (inout Data) -> Void) throws {
        let bench = Workbench()
        var observer = TrainingObserver()
        observer.stopRequested = { true }
        #expect(try bench.trainer(bench.trainee(), key: "k").run(observer) == .interrupted)
        let path = bench.folder + "/checkpoint.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        damage(&bytes)
        try bytes.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: DataError.self) { try bench.trainer(bench.trainee(), key: "k").run(observer) }
        #expect(error?.hint == "delete it to start from nothing" && error?.path == path, "\(what)")
    }

    /// Not after all other epochs, when there is nothing left to be saved.
    @Test(arguments: [true, false]) func aLostBestEpochIsFoundAtOnce(isDamaged: Bool) throws {
        let bench = Workbench()
        var observer = TrainingObserver(), epochs = 0
        observer.didEndEpoch = { _ in epochs += 1 }
        observer.stopRequested = { epochs > 0 }
        #expect(try bench.trainer(bench.trainee(), key: "k").run(observer) == .interrupted)
        let path = bench.folder + "/epoch-0.safetensors"
        if isDamaged {
            try Data("?".utf8).write(to: URL(fileURLWithPath: path))
        } else {
            try FileManager.default.removeItem(atPath: path)
        }
        let before = epochs
        let error = #expect(throws: DataError.self) { try bench.trainer(bench.trainee(), key: "k").run(observer) }
        #expect(epochs == before && error?.hint == "delete \(bench.folder) to start from nothing")
    }

    /// By whom it was let lie there, it was taken for one of these: a bit of its key has changed.
    @Test func aCheckpointOfOtherSettingsIsRefused() throws {
        let bench = Workbench()
        var observer = TrainingObserver()
        observer.stopRequested = { true }
        #expect(try bench.trainer(bench.trainee(), key: "old").run(observer) == .interrupted)
        #expect(throws: DataError.self) { try bench.trainer(bench.trainee(), key: "new").run(observer) }
        #expect(try bench.trainer(bench.trainee(), key: "old").run(observer) == .interrupted)
    }

    @Test func stopsWhenValidationNoLongerImproves() throws {
        let bench = Rising(), folder = TemporaryFolder("rising")
        var settings = TrainingSettings(epochs: 50, schedule: Schedule(.constant, peak: 1, warmup: 0))
        settings.patience = 3
        let trainer = Trainer(bench, settings: settings, folder: folder.path, key: "k")
        #expect(try trainer.run() == .finished)
        #expect(trainer.state.epoch == 8, "best is epoch 4, then three worse ones")
        #expect(bench.weights.base[0] == 5, "the weights of the best epoch")
        #expect(trainer.state.resultLoss == 1)
    }

    /// The mean of the best epochs, where that is better than the best alone: of 5 and 6, but not of 5 and 4.
    @Test(arguments: [(5.5, Float(5.5)), (5, 5)]) func theBestEpochsAreAveraged(lowest: Double, weight: Float) throws {
        let bench = Rising(lowest: lowest), folder = TemporaryFolder("averaged")
        var settings = TrainingSettings(epochs: 9, schedule: Schedule(.constant, peak: 1, warmup: 0))
        settings.averaged = 2
        let trainer = Trainer(bench, settings: settings, folder: folder.path, key: "k")
        #expect(try trainer.run() == .finished)
        #expect(bench.weights.base[0] == weight && trainer.state.resultLoss == 1)
    }
}

/// One weight that counts epochs; its loss falls until `lowest` and rises again.
private final class Rising: Trainee {
    let layout: ParameterLayout
    let weights: FloatBlock
    private let lowest: Double

    init(lowest: Double = 5) {
        self.lowest = lowest
        var layout = ParameterLayout()
        _ = layout.add("count", [1], .constant(0))
        self.layout = layout
        weights = FloatBlock(layout.count)
    }

    var validationSentences: Int { 1 }
    func begin(epoch: Int) -> Int { 1 }
    func step(batch: Int, step: Int, rate: Float, adam: Adam) -> TrainingSums {
        weights.base[0] += 1
        return TrainingSums(loss: 1, units: 1)
    }
    func validate(epoch: Int?) -> Validation { Validation(loss: 1 + abs(Double(weights.base[0]) - lowest)) }
}

@Suite struct ScheduleTests {
    @Test func noamIsVaswanis() {
        let schedule = Schedule(.noam, peak: Schedule.noamPeak(width: 128, warmup: 4000), warmup: 4000)
        for step in [1, 10, 3999, 4000, 4001, 20000] {
            let s = Double(step), expected = pow(128, -0.5) * min(pow(s, -0.5), s * pow(4000, -1.5))
            #expect(abs(Double(schedule.rate(step: step, of: 0)) - expected) < 1e-6 * expected, "step \(step)")
        }
    }

    @Test func cosineEndsAtZero() {
        let schedule = Schedule(.cosine, peak: 2, warmup: 10)
        #expect(schedule.rate(step: 5, of: 110) == 1)
        #expect(schedule.rate(step: 10, of: 110) == 2)
        #expect(abs(schedule.rate(step: 60, of: 110) - 1) < 1e-6)
        #expect(schedule.rate(step: 110, of: 110) == 0)
    }
}

@Suite struct EpochTests {
    @Test func everySentenceOnceAnEpoch() {
        let trainee = [3, 1, 4, 1, 5, 9, 2, 6]
        for epoch in 0..<3 {
            let order = EpochOrder(tokens: trainee, batchTokens: 10, seed: 1, epoch: epoch)
            #expect(order.sentences.sorted() == Array(trainee.indices))
            #expect(order.batches.flatMap(Array.init) == Array(trainee.indices))
            for batch in order.batches {
                let tokens = batch.reduce(0) { $0 + trainee[order.sentences[$1]] }
                #expect(tokens <= 10, "batch \(batch)")
            }
        }
    }
}
