import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

/// One weight that counts steps; nothing to measure it on, or a loss of its own.
private final class Counter: Trainee {
    let layout: ParameterLayout
    let weights: FloatBlock
    let validationSentences: Int
    var loss = 0.0
    private(set) var validations = 0

    init(validationSentences: Int) {
        var layout = ParameterLayout()
        _ = layout.add("count", [1], .constant(0))
        self.layout = layout
        weights = FloatBlock(layout.count)
        self.validationSentences = validationSentences
    }

    func begin(epoch: Int) -> Int { 2 }
    func step(batch: Int, step: Int, rate: Float, adam: Adam) -> TrainingSums {
        weights.base[0] += 1
        return TrainingSums(loss: 1, units: 1)
    }
    func validate(epoch: Int?) -> Validation {
        validations += 1
        return Validation(loss: loss)
    }
}

@Suite struct EmptyPartTests {
    private func train(_ trainee: Trainee, _ observer: TrainingObserver = TrainingObserver()) throws -> Trainer {
        let folder = TemporaryFolder("empty")
        let settings = TrainingSettings(epochs: 5, schedule: Schedule(.constant, peak: 1, warmup: 0))
        let trainer = Trainer(trainee, settings: settings, folder: folder.path, key: "k")
        #expect(try trainer.run(observer) == .finished)
        return trainer
    }

    @Test func withoutValidationTheLastWeightsAreTheResult() throws {
        let trainee = Counter(validationSentences: 0)
        var notes: [String] = [], observer = TrainingObserver()
        observer.note = { notes.append($0) }
        observer.didEndEpoch = { #expect($0.validation == nil && !$0.isBest) }
        let trainer = try train(trainee, observer)
        #expect(trainee.weights.base[0] == 10 && trainee.validations == 0)
        #expect(trainer.state.resultLoss == nil)
        #expect(notes == ["no validation sentences: the last weights are the result"])
    }

    @Test(arguments: [Double.nan, .infinity]) func aLossThatIsFirstSeenAtValidationIsDivergence(_ loss: Double) throws {
        let trainee = Counter(validationSentences: 1)
        trainee.loss = loss
        let error = #expect(throws: DivergedError.self) { try train(trainee) }
        #expect(error?.step == 2)
    }

    @Test func weightsThatNobodyMeasuresMustBeNumbersToo() throws {
        let trainee = Counter(validationSentences: 0)
        trainee.weights.base[0] = .nan
        #expect(throws: DivergedError.self) { try train(trainee) }
    }
}

@Suite struct DamagedCaptureTests {
    /// Offsets as damage leaves them: refused before anything is computed from them.
    @Test(arguments: [[], [1, 2], [0, 2, 1], [0, 9], [0, -1, 3], [0, 3, Int.max]])
    func offsetsAreChecked(_ offsets: [Int]) throws {
        let folder = TemporaryFolder("offsets"), path = folder.file("offsets")
        let writer = try TensorFileWriter(path: path, tensors: [("source", .i64, [offsets.count])])
        try writer.write("source", offsets)
        try writer.finish()
        let file = try TensorFile(path: path)
        #expect(throws: DataError.self) { try CapturedActivations.offsets("source", in: file, maxTokens: 8) }
    }

    @Test func aManifestOfNoModelIsRefused() throws {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.width, shape.heads, shape.encoderLayers, shape.decoderLayers) = (16, 2, 1, 1)
        let sound = try CaptureConfiguration(
            teacher: shape, spans: [.heads], attentions: [.encoder], layers: nil, elementType: .f16)
        try sound.requireSound(path: "x")
        let damages: [(inout CaptureConfiguration) -> Void] = [
            { $0.width = 1 << 62 }, { $0.heads = 0 }, { $0.heads = 3 }, { $0.maxTokens = -1 }, { $0.layers = [-1] },
            { $0.layers = [7] },
            { $0.encoderLayers = Int.max },
        ]
        for (index, damage) in damages.enumerated() {
            var bad = sound
            damage(&bad)
            #expect(throws: DataError.self, "damage \(index)") { try bad.requireSound(path: "x") }
        }
    }
}

@Suite struct IdentityTests {
    @Test func theTeacherIsTheEndOfTheChain() {
        #expect(Identity.teacher(["capture": "c", "capture/model": "t"], "capture/model") == "t")
        #expect(
            Identity.teacher(
                ["capture/model": "s", "capture/model/model": "t", "capture/model/replacement.x": "r"], "capture/model")
                == "t")
        #expect(Identity.teacher(["capture": "c"], "capture/model") == nil)
        #expect(Identity.teacher(["tokens": "x"], "model") == nil)
    }

    /// What a model came from may stand under another path to it alone, see `Lineage`.
    @Test func theChainGoesOnWhereverItIsTold() {
        let inPlace = [
            "model": "spliced", "model/model": "s", "model/replacement.x": "r", "teacher": "s", "teacher/model": "t",
            "teacher/replacement.y": "q",
        ]
        #expect(Identity.teacher(inPlace, "model") == "t")
        let circle = [
            "model": "a", "model/model": "b", "model/teacher": "t", "model/model/model": "a",
            "model/model/teacher": "t",
        ]
        #expect(Identity.teacher(circle, "model") != nil)
    }

    /// Trained further, all its weights are others: networks of the teacher that it began with are not its own.
    @Test func aTeacherThatWasTrainedFurtherIsAnother() {
        let further = ["model": "first", "tokens": "long"]
        #expect(Identity.base(further) == nil)
        let captured = ["capture/model": "second", "capture/model/model": "first", "capture/model/tokens": "long"]
        #expect(Identity.teacher(captured, "capture/model") == "second")
        #expect(Identity.base(["model": "first", "replacement.x": "r"]) == "first")
        #expect(Identity.base(["model": "spliced", "teacher": "first", "tokens": "x"]) == "spliced")
        #expect(Identity.base(["model": "spliced", "teacher.all": "first", "tokens": "x"]) == nil)
    }
}
