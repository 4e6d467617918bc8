import Corpus
import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

/// A small random teacher, captured, and replacements distilled from it.
final class DistillationBench {
    private let root = TemporaryFolder("distillation")
    var folder: String { root.path }
    let capture: CaptureConfiguration
    var settings = DistillationSettings()
    var training = TrainingSettings(epochs: 4, schedule: Schedule(.cosine, peak: 5e-3, warmup: 5))

    init(_ elementType: ElementType = .f32, sentences: Int = 300) throws {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.width, shape.heads, shape.hidden, shape.encoderLayers, shape.decoderLayers, shape.maxTokens) = (
            16, 2, 32, 1, 1, 8
        )
        let model = Transformer(shape), weights = model.layout.initialized(seed: 3)
        capture = try CaptureConfiguration(
            teacher: shape, spans: Span.allCases, attentions: [.encoder, .decoder, .cross], layers: nil,
            elementType: elementType)
        let output = try OutputFolder(folder + "/capture"),
            writer = ActivationCapture(model, weights: weights, capture, pool: WorkerPool(threads: 1))
        for (split, count) in [(Split.train, sentences), (.valid, 40)] {
            try writer.write(Self.shard(count, seed: UInt64(count)), split, to: output, progress: { _ in }, stop: {})
        }
        try writer.writeBlockHashes(to: output)
        try output.publish(stage: "capture", configuration: capture)
        settings.batch = 32
    }

    /// Sentences of 1 to 7 tokens, so that with `<s>` none is longer than S.
    private static func shard(_ count: Int, seed: UInt64) -> TokenShard {
        var random = SplitMix64(seed: seed), shard = TokenShard()
        func sentence() -> [Int] {
            (0..<Int.random(in: 1...7, using: &random)).map { _ in Int.random(in: 3..<20, using: &random) }
        }
        for _ in 0..<count { shard.append(source: sentence(), target: sentence()) }
        return shard
    }

    func activations(_ split: Split, _ spec: Spec) throws -> CapturedActivations {
        try CapturedActivations(folder: folder + "/capture", hashes(), capture, split, spec)
    }

    func hashes() throws -> BlockHashes { try captured().blockHashes() }

    func captured() throws -> PublishedFolder<CaptureConfiguration> {
        try PublishedFolder(folder + "/capture", stage: "capture")
    }

    func trainee(_ text: String, threads: Int = 1) throws -> DistillationTrainee {
        try trainee(text, WorkerPool(threads: threads))
    }

    func trainee(_ text: String, _ pool: WorkerPool) throws -> DistillationTrainee {
        let spec = try Spec(parsing: text)
        return try DistillationTrainee(
            spec, capture, train: activations(.train, spec), valid: activations(.valid, spec), settings: settings,
            pool: pool)
    }

    var scratch: String { folder + "/training" }

    func trainer(_ trainee: Trainee) throws -> Trainer {
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        return Trainer(trainee, settings: training, folder: scratch, key: "k", checkpointSeconds: 0)
    }

    /// Removes what a training has left.
    func empty() throws { try FileManager.default.removeItem(atPath: scratch) }
}

@Suite struct DistillationTests {
    static let specs = [
        "alr-h24.encoder.0", "alrr-h24.encoder.0", "elr-h24.encoder.0", "aslr-h16.encoder.0", "alr-h24.decoder.0",
        "alr-h24.cross.0", "alr-h24.crossfull.0", "mix-k8r16.encoder.0", "mix-k8.decoder.0",
        "mix-k8r16.cross.0", "slots-k8d4.encoder.0", "slots-k8d4v8.decoder.0", "slots-k16d8.cross.0",
    ]

    @Test(arguments: specs) func explainsMoreThanAtFirst(_ text: String) throws {
        let bench = try DistillationBench()
        bench.training.epochs = text.hasPrefix("slots") ? 24 : 8
        let trainee = try bench.trainee(text), before = try trainee.validate(epoch: 0)
        #expect(try bench.trainer(trainee).run() == .finished)
        let after = try trainee.validate(epoch: 0)
        #expect(after.loss < 0.6 * before.loss, "\(text): \(before.loss) to \(after.loss)")
        #expect(
            after.metrics[MetricKey(.valid, .explained)]! > max(0.1, before.metrics[MetricKey(.valid, .explained)]!),
            "\(text): \(after.metrics)")
    }

    /// They explain more than at first, and a step's root mean square is Muon's scale times the rate, about.
    @Test(arguments: ["mix-k8r16.cross.0", "slots-k8d4v8.decoder.0"]) func matricesLearnByMuon(_ text: String) throws {
        let bench = try DistillationBench()
        (bench.settings.muon, bench.settings.clip, bench.training.epochs) = (Muon(), 1, 12)
        let trainee = try bench.trainee(text, threads: 2), before = try trainee.validate(epoch: 0)
        _ = try bench.trainer(trainee).run()
        #expect(try trainee.validate(epoch: 0).loss < 0.6 * before.loss)

        let stepped = try bench.trainee(text), adam = Adam(Adam.Settings(), count: stepped.weights.count)
        _ = stepped.begin(epoch: 0)
        let start = FloatBlock(stepped.weights.count)
        start.buffer.update(fromContentsOf: stepped.weights.buffer)
        _ = try stepped.step(batch: 0, step: 1, rate: 0.01, adam: adam)
        let matrices = stepped.layout.slots.filter { $0.matrixRows != nil }
        #expect(!matrices.isEmpty)
        for slot in matrices {
            let rows = slot.matrixRows!, count = rows * slot.columns
            for first in stride(from: slot.offset, to: slot.range.upperBound, by: count) {
                let moved = (first..<first + count).map { Double(stepped.weights.base[$0] - start.base[$0]) }
                let size = (moved.reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
                #expect(0.3 * 0.005...1.2 * 0.005 ~= size, "\(slot.name): \(size)")
            }
        }
    }

    /// The validation figures, naively, from what the network puts out.
    @Test(arguments: ["alr-h24.encoder.0", "alr-h24.cross.0"]) func validationFigures(_ text: String) throws {
        let bench = try DistillationBench(), trainee = try bench.trainee(text), found = try trainee.validate(epoch: 0)
        let valid = try bench.activations(.valid, trainee.spec), space = Workspace()
        var error = 0.0, cosines: [Int: [Double]] = [:], rows: [[Double]] = []
        for sentence in 0..<valid.sentences {
            space.reset()
            let (out, wanted) = outputs(trainee, try valid.batch([sentence], WorkerPool(threads: 1)), space)
            for position in 0..<wanted.rows {
                let a = (0..<16).map { Double(out[position, $0]) }, b = (0..<16).map { Double(wanted[position, $0]) }
                func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
                error += zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                cosines[position, default: []].append(dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot())
                rows.append(b)
            }
        }
        let mean = (0..<16).map { c in rows.reduce(0) { $0 + $1[c] } / Double(rows.count) }
        let variation = rows.reduce(0) { $0 + zip($1, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        #expect(abs(found.loss - error / Double(rows.count * 16)) < 1e-5 * found.loss)
        #expect(abs(found.metrics[MetricKey(.valid, .explained)]! - (1 - error / variation)) < 1e-4)
        let all = cosines.values.joined()
        #expect(abs(found.metrics[MetricKey(.valid, .cosine)]! - all.reduce(0, +) / Double(all.count)) < 1e-4)
        for (position, values) in cosines {
            #expect(
                abs(
                    found.metrics[MetricKey(.valid, .cosine, position: position)]! - values.reduce(0, +)
                        / Double(values.count)) < 1e-4, "position \(position)")
        }
    }

    /// What the network puts out for the one sentence of a batch, and what it should.
    private func outputs(
        _ trainee: DistillationTrainee, _ batch: DistillationBatch, _ space: Workspace
    ) -> (Matrix, Matrix) {
        let sentence = batch.sentences.first!
        func rows(_ source: any RowSource, _ offsets: [Int]) -> (Matrix, Packed) {
            let range = offsets[sentence]..<offsets[sentence + 1], x = space.matrix(range.count, 16)
            for (row, token) in range.enumerated() { source.read(token, into: x.row(row)) }
            var packed = Packed()
            packed.append(sentence: ArraySlice(repeating: 3, count: range.count))
            return (x, packed)
        }
        let (x, sentences) = rows(batch.input, batch.offsets)
        let memory = batch.memory.map { rows($0, batch.memoryOffsets) }.map { EncoderOutput(x: $0.0, sentences: $0.1) }
        let pass = Pass(weights: trainee.weights, workspace: space)
        return (
            trainee.network.forward(x, sentences, memory: memory, pass).context, rows(batch.output, batch.offsets).0
        )
    }

    @Test(arguments: specs) func threadsDoNotChangeABit(_ text: String) throws {
        let results = try [1, 2, 3].map { threads in
            let bench = try DistillationBench()
            bench.settings.dropout = 0.2
            bench.training.adam.decay = 0.01
            bench.training.epochs = 1
            let trainee = try bench.trainee(text, threads: threads)
            _ = try bench.trainer(trainee).run()
            return bits(trainee.weights)
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    /// Asked to stop after every third step, and started anew each time, it ends with the bits of a run that was left
    /// alone.
    @Test(
        arguments: [
            ("alr-h24.encoder.0", nil), ("alr-h24.cross.0", nil), ("mix-k8r16.cross.0", nil),
            ("mix-k8r16.cross.0", Muon()),
        ] as [(String, Muon?)])
    func interruptionsDoNotChangeABit(_ text: String, _ muon: Muon?) throws {
        let bench = try DistillationBench()
        (bench.settings.dropout, bench.settings.muon) = (0.1, muon)
        let whole = try bench.trainee(text)
        _ = try bench.trainer(whole).run()
        try bench.empty()
        var pieces = whole
        let runs = try runInPieces(of: 3) { run in
            pieces = try bench.trainee(text, threads: 1 + run % 2)
            return try bench.trainer(pieces)
        }
        #expect(runs > 10)
        #expect(bits(pieces.weights) == bits(whole.weights))
    }

    @Test(arguments: [("encoder", 3e-3), ("decoder", 1e-2), ("cross", 1e-2), ("crossfull", 3e-3)])
    func causalNetworksLearnAtAHigherRate(attention: String, peak: Double) throws {
        #expect(
            DistillationPreset.standard.values(try Spec(parsing: "alr-m.\(attention)")).training.schedule.peak == peak)
    }

    @Test func paperPresetKeepsTheOrder() throws {
        let bench = try DistillationBench()
        let values = DistillationPreset.paper.values(try Spec(parsing: "alr-m.encoder.0"))
        #expect(values.training.epochs == 21 && values.training.schedule.peak == 1e-4 && !values.distillation.shuffles)
        #expect(DistillationPreset.paper.values(try Spec(parsing: "elr-m.encoder.0")).training.schedule.peak == 1e-3)
        bench.settings.shuffles = false
        let adam = Adam(Adam.Settings(), count: try bench.trainee("alr-h24.encoder.0").weights.count)
        func firstLoss(epoch: Int) throws -> Double {
            let trainee = try bench.trainee("alr-h24.encoder.0")
            _ = trainee.begin(epoch: epoch)
            return try trainee.step(batch: 0, step: 1, rate: 0, adam: adam).loss
        }
        let inOrder = try firstLoss(epoch: 0)
        #expect(try firstLoss(epoch: 1) == inOrder)
        bench.settings.shuffles = true
        #expect(try firstLoss(epoch: 1) != inOrder)
    }

    /// Activations of half precision train as well as those of single precision.
    @Test func halfPrecision() throws {
        let losses = try [ElementType.f32, .f16].map { type in
            let bench = try DistillationBench(type), trainee = try bench.trainee("alr-h24.decoder.0")
            _ = try bench.trainer(trainee).run()
            return try trainee.validate(epoch: 0).loss
        }
        #expect(abs(losses[0] - losses[1]) < 0.02 * losses[0], "\(losses)")
    }

    @Test func aCaptureOfAnotherShapeIsRefused() throws {
        let bench = try DistillationBench(), spec = try Spec(parsing: "alr-h24.encoder.0")
        var other = bench.capture
        other.width = 32
        let error = #expect(throws: DataError.self) {
            try CapturedActivations(folder: bench.folder + "/capture", bench.hashes(), other, .train, spec)
        }
        #expect(error?.exitCode == 65)
        let hashes = try bench.hashes()
        try FileSystem.remove(
            bench.folder + "/capture/" + CapturePoint(span: .heads, attention: .encoder, layer: 0).fileName(.train))
        #expect(throws: DataError.self) {
            try CapturedActivations(folder: bench.folder + "/capture", hashes, bench.capture, .train, spec)
        }
    }
}

@Suite struct DamagedBlockTests {
    /// A bit of the first, a middle and the last block: an error before a network has learnt from it, whatever file it
    /// is in.
    @Test(arguments: ["alr-h24.encoder.0", "mix-k8r16.cross.0"], [0.0, 0.3, 0.5, 0.8, 1.0])
    func aFlippedBitIsNotLearnt(_ text: String, place: Double) throws {
        let spec = try Spec(parsing: text)
        let point = CapturePoint(span: spec.family.span, attention: spec.attention, layer: 0)
        for split in [Split.train, .valid] {
            let names = [point.fileName(split)] + (spec.attention.readsMemory ? [CapturePoint.memoryName(split)] : [])
            for name in names {
                let bench = try DistillationBench(sentences: 1500), path = bench.folder + "/capture/" + name
                bench.training.epochs = 1
                let states = try weightsByStep(bench, text)
                let file = try TensorFile(path: path), data = try #require(file.tensors.last).bytes.upperBound
                let size = try FileSystem.size(of: path)
                #expect(split == .valid || size > 3 << 16)
                try Mutations.flipBit(of: path, at: size - data + Int(place * Double(data - 1)))
                var trainee: DistillationTrainee?, trainer: Trainer?
                let error = #expect(throws: DataError.self) {
                    trainee = try bench.trainee(text, threads: 2)
                    trainer = try bench.trainer(trainee!)
                    _ = try trainer!.run()
                }
                #expect(error?.exitCode == 65)
                #expect(error?.path == path)
                if let trainee, let trainer {
                    let isOfWholeData = bits(trainee.weights) == states[trainer.state.step]
                    #expect(isOfWholeData, "at step \(trainer.state.step)")
                }
            }
        }
    }

    /// The weights before the first step and after each, where nothing is damaged.
    private func weightsByStep(_ bench: DistillationBench, _ text: String) throws -> [[UInt32]] {
        let trainee = try bench.trainee(text, threads: 2)
        var states = [bits(trainee.weights)], observer = TrainingObserver()
        observer.didStep = { _ in states.append(bits(trainee.weights)) }
        _ = try bench.trainer(trainee).run(observer)
        try bench.empty()
        return states
    }

    @Test func aCaptureWithoutHashesIsAnEarlierVersions() throws {
        let bench = try DistillationBench(sentences: 3), other = try OutputFolder(bench.folder + "/old")
        try other.publish(stage: "capture", configuration: bench.capture)
        let old = try PublishedFolder<CaptureConfiguration>(other.folder, stage: "capture")
        let error = #expect(throws: DataError.self) { try old.blockHashes() }
        #expect(error?.exitCode == 65)
        #expect("\(try #require(error))".contains("a capture of an earlier version"))
    }
}

@Suite struct DamagedSnapshotTests {
    @Test func aFlippedBitOfTheBestEpochIsFound() throws {
        let bench = try DistillationBench(), trainee = try bench.trainee("alr-h24.encoder.0")
        bench.training.averaged = 2
        bench.training.epochs = 2
        var observer = TrainingObserver()
        observer.didEndEpoch = { epoch in
            guard epoch.epoch == 1 else { return }
            let path = bench.scratch + "/epoch-0.safetensors"
            var bytes = (try? FileSystem.read(path)) ?? []
            bytes[bytes.count - 2] ^= 1
            try? FileSystem.writeAtomically(Data(bytes), to: path)
        }
        let error = #expect(throws: DataError.self) { try bench.trainer(trainee).run(observer) }
        #expect(error?.exitCode == 65)
    }
}
