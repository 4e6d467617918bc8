import Corpus
import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

/// Captures, models and checkpoints with damage of every kind are used or refused.
@Suite struct TrainingMutationTests {
    private func torture(_ name: String, _ path: String, every: Int, _ read: () throws -> Void) throws {
        let whole = try FileSystem.read(path)
        defer { try? Data(whole).write(to: URL(fileURLWithPath: path)) }
        let outcome = Mutations.outcome(name, whole, every: every, accepts: { $0 is DataError || $0 is SpecError }) {
            try Data($0).write(to: URL(fileURLWithPath: path))
            try read()
        }
        #expect(outcome.problems == [])
        #expect(outcome.refused >= outcome.rounds / 20, "\(name): damage is noticed")
    }

    /// As they are, and with hashes of what the damage has left: what is behind the hashes holds too.
    @Test(arguments: [false, true]) func captures(_ isHashedAgain: Bool) throws {
        let bench = try DistillationBench(.f16, sentences: 6), folder = bench.folder + "/capture"
        let manifest = try bench.captured().manifest, pool = WorkerPool(threads: 1)
        let files = manifest.files.keys.filter { $0 != BlockHashes.fileName }.sorted()
        let specs = try ["alr-h24.encoder.0", "mix-k8r16.cross.0"].map { try Spec(parsing: $0) }
        let damaged =
            [ManifestFile.name, BlockHashes.fileName]
            + files.filter {
                $0.contains("offsets") || $0.contains("memory") || $0.contains("heads.encoder")
            }
        for name in damaged where !isHashedAgain || name.hasSuffix("offsets.safetensors") || name.contains("heads") {
            try torture("capture/\(name)", folder + "/" + name, every: 10) {
                let captured = try PublishedFolder<CaptureConfiguration>(folder, stage: "capture")
                try captured.configuration.requireSound(path: folder)
                var hashes = try captured.blockHashes()
                if isHashedAgain {
                    let path = bench.folder + "/again"
                    try BlockHashes.write(of: files, in: folder, to: path, pool.run)
                    hashes = BlockHashes(try TensorFile(path: path))
                }
                for spec in specs {
                    for split in [Split.train, .valid] {
                        let read = try CapturedActivations(folder: folder, hashes, captured.configuration, split, spec)
                        _ = try read.totalVariation(pool)
                        _ = try read.batch(ArraySlice(0..<read.sentences), pool)
                    }
                }
            }
        }
    }

    @Test func models() throws {
        var shape = TransformerConfiguration(sourceVocabulary: 6, targetVocabulary: 6)
        (shape.width, shape.heads, shape.hidden, shape.encoderLayers, shape.decoderLayers) = (8, 2, 8, 1, 1)
        let spec = try Spec(parsing: "mix-k4r4.encoder.0"),
            model = Transformer(shape, try Replacements([spec], in: shape))
        let root = TemporaryFolder("models")
        try root.write(
            "#words 1 lowercase=false\n<unk>\t0\n<s>\t0\n</s>\t0\na\t3\nb\t2\nc\t1\n", "words.model")
        let vocabulary = try Vocabulary.load(path: root.file("words.model")),
            output = try OutputFolder(root.file("model"))
        try ModelFolder.write(
            model, model.layout.initialized(seed: 1), source: vocabulary, target: vocabulary, to: output)
        let description = ModelDescription(
            transformer: shape, source: "en", target: "de", joint: false, replacements: [spec])
        try output.publish(stage: "splice", configuration: ModelFolder.Configuration(model: description))
        for name in [ManifestFile.name, ModelFolder.weightsName, "source.model"] {
            try torture("model/\(name)", output.folder + "/" + name, every: 10) {
                let folder = try ModelFolder(path: output.folder)
                try folder.loadNetworks()
                _ = try folder.translationModel()
            }
        }
    }

    @Test func checkpoints() throws {
        let bench = try DistillationBench(sentences: 40), trainee = try bench.trainee("mix-k4r4.encoder.0")
        var observer = TrainingObserver()
        observer.stopRequested = { true }
        _ = try bench.trainer(trainee).run(observer)
        let adam = Adam(bench.training.adam, count: trainee.weights.count)
        try torture("checkpoint", bench.scratch + "/checkpoint.safetensors", every: 2) {
            _ = try Checkpoint(folder: bench.scratch, key: "k", layout: trainee.layout).read(
                weights: trainee.weights, adam: adam)
        }
    }
}
