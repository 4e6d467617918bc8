import Corpus
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing
import Training

@testable import Models

@Suite struct CaptureTests {
    private let root = TemporaryFolder("capture")
    private let shape: TransformerConfiguration = {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.width, shape.heads, shape.hidden, shape.encoderLayers, shape.decoderLayers) = (16, 2, 32, 2, 3)
        return shape
    }()

    /// Sentences of 1 to 9 tokens, enough for several batches.
    private func shard(_ count: Int) -> TokenShard {
        var random = SplitMix64(seed: 5), shard = TokenShard()
        for _ in 0..<count {
            let ids = { (random: inout SplitMix64) in
                (0..<Int.random(in: 1...9, using: &random)).map { _ in Int.random(in: 3..<20, using: &random) }
            }
            shard.append(source: ids(&random), target: ids(&random))
        }
        return shard
    }

    private func capture(
        _ shard: TokenShard, _ configuration: CaptureConfiguration, threads: Int, in path: String
    ) throws -> (Transformer, FloatBlock) {
        let model = Transformer(shape), weights = model.layout.initialized(seed: 3)
        let capture = ActivationCapture(model, weights: weights, configuration, pool: WorkerPool(threads: threads))
        let folder = try OutputFolder(path)
        try capture.write(shard, .train, to: folder, progress: { _ in }, stop: {})
        try folder.publish(stage: "capture", configuration: configuration)
        return (model, weights)
    }

    /// Every token of every place, against a forward pass of its sentence alone.
    @Test func holdsWhatAForwardPassHolds() throws {
        let path = root.file("whole"), shard = shard(900)
        let settings = try CaptureConfiguration(
            teacher: shape, spans: Span.allCases, attentions: [.encoder, .decoder, .cross], layers: nil,
            elementType: .f32)
        #expect(settings.points.count == 3 * 2 + 3 + 3)
        let (model, weights) = try capture(shard, settings, threads: 2, in: path)
        let files = try settings.points.map { try TensorFile(path: path + "/" + $0.fileName(.train)) }
        let offsets = try TensorFile(path: path + "/" + CapturePoint.offsetsName(.train))
        let source = try offsets.integers("source"), target = try offsets.integers("target")
        let memory = try TensorFile(path: path + "/" + CapturePoint.memoryName(.train)).floats("memory")
        let space = Workspace(), trace = TransformerTrace()
        for sentence in stride(from: 0, to: shard.count, by: 37) {
            space.reset()
            var batch = PairBatch()
            batch.append(source: shard.source[sentence], target: shard.target[sentence])
            let encoded = model.forward(batch, trace: trace, Pass(weights: weights, workspace: space)).memory.x
            expectEqual(encoded, memory, from: source[sentence], "memory of sentence \(sentence)")
            for (point, file) in zip(settings.points, files) {
                let expected = trace.activations(point)
                let first = point.attention == .encoder ? source[sentence] : target[sentence]
                expectEqual(
                    expected.input, try file.floats("input"), from: first, "\(point) input of sentence \(sentence)")
                expectEqual(
                    expected.output, try file.floats("output"), from: first, "\(point) output of sentence \(sentence)")
            }
        }
        #expect(target.last == shard.target.ids.count + shard.count)
    }

    private func expectEqual(_ matrix: Matrix, _ values: [Float], from token: Int, _ what: String) {
        let found = values[token * matrix.columns..<token * matrix.columns + matrix.count]
        let worst = zip(found, UnsafeBufferPointer(start: matrix.base, count: matrix.count)).map { abs($0 - $1) }.worst
        #expect(worst < 1e-5, "\(what): largest difference \(worst)")
    }

    /// A pass that ends at the deepest place leaves there what a pass through all layers does.
    @Test(arguments: [(Attention.encoder, [0]), (.encoder, [1]), (.decoder, [0]), (.decoder, [1]), (.cross, [0, 2])])
    func aPassGoesNoDeeperThanItsPlaces(_ attention: Attention, _ layers: [Int]) throws {
        let settings = try CaptureConfiguration(
            teacher: shape, spans: Span.allCases, attentions: [attention], layers: layers, elementType: .f32)
        let model = Transformer(shape), weights = model.layout.initialized(seed: 3)
        let whole = TransformerPass(model, weights: weights)
        let part = TransformerPass(model, weights: weights, to: settings.points)
        let tokens = shard(40)
        var batch = PairBatch()
        for index in 0..<40 { batch.append(source: tokens.source[index], target: tokens.target[index]) }
        let memories = (whole.run(batch), part.run(batch))
        for point in settings.points {
            let (expected, found) = (whole.activations(point), part.activations(point))
            #expect(numbers(found.input) == numbers(expected.input))
            #expect(numbers(found.output) == numbers(expected.output))
        }
        if settings.needsMemory { #expect(numbers(memories.1) == numbers(memories.0)) }
        let depth = PassDepth(of: shape, to: settings.points)
        #expect(depth.decoder == (attention == .encoder ? 0 : layers.max()! + 1))
        #expect(depth.encoder == (attention == .encoder ? layers.max()! + 1 : shape.encoderLayers))
    }

    private func numbers(_ matrix: Matrix) -> [Float] {
        Array(UnsafeBufferPointer(start: matrix.base, count: matrix.count))
    }

    @Test func threadsDoNotChangeAByte() throws {
        let paths = [root.file("1"), root.file("3")]
        let settings = try CaptureConfiguration(
            teacher: shape, spans: [.heads], attentions: [.decoder], layers: [1], elementType: .f16)
        for (path, threads) in zip(paths, [1, 3]) { _ = try capture(shard(1200), settings, threads: threads, in: path) }
        #expect(try ManifestFile.sha256(folder: paths[0]) == ManifestFile.sha256(folder: paths[1]))
    }

    @Test func saysHowManyBytesItNeeds() throws {
        let path = root.file("counted"), shard = shard(300)
        let settings = try CaptureConfiguration(
            teacher: shape, spans: [.heads], attentions: [.cross], layers: [0, 2], elementType: .f16)
        let (model, weights) = try capture(shard, settings, threads: 1, in: path)
        let said = ActivationCapture(model, weights: weights, settings, pool: WorkerPool(threads: 1)).bytes(shard)
        let tensors = try
            (settings.points.map { $0.fileName(.train) } + [
                CapturePoint.offsetsName(.train), CapturePoint.memoryName(.train),
            ])
            .flatMap { try TensorFile(path: path + "/" + $0).tensors }
        #expect(said == tensors.reduce(0) { $0 + $1.bytes.count })
    }

    @Test func refusesALayerThatIsNotThere() {
        #expect(throws: SpecError.self) {
            try CaptureConfiguration(
                teacher: shape, spans: [.heads], attentions: [.encoder], layers: [2], elementType: .f16)
        }
    }
}
