import ArgumentParser
import Models
import Processes
import Stages
import Tensors
import Training

extension TrainingPreset: ExpressibleByArgument {}
extension TransformerConfiguration.Tying: ExpressibleByArgument {}

/// The model's shape and dropout; what is not given is the preset's.
struct ModelOptions: ParsableArguments {
    @Option(help: "Model width d.") var width: Int?
    @Option(help: "Attention heads.") var heads: Int?
    @Option(help: "Hidden width of the feed-forward sublayers.") var hidden: Int?
    @Option(help: "Encoder layers.") var encoderLayers: Int?
    @Option(help: "Decoder layers.") var decoderLayers: Int?
    @Option(help: "Which embeddings are one matrix: none, output (target embedding and output layer), all.") var tying:
        TransformerConfiguration.Tying?
    @Option(help: "Dropout everywhere; the four below override it.") var dropout: Float?
    @Option(help: "Dropout on embeddings.") var embeddingDropout: Float?
    @Option(help: "Dropout on attention weights.") var attentionDropout: Float?
    @Option(help: "Dropout inside the feed-forward sublayers.") var hiddenDropout: Float?
    @Option(help: "Dropout on what a sublayer adds.") var residualDropout: Float?

    /// An option that gives the shape, which a model that is trained further has already; nil: none does.
    var givenShape: String? {
        let given: [(String, Any?)] = [
            ("--width", width), ("--heads", heads), ("--hidden", hidden), ("--encoder-layers", encoderLayers),
            ("--decoder-layers", decoderLayers), ("--tying", tying),
        ]
        return given.first { $0.1 != nil }?.0
    }

    func apply(to model: inout TransformerConfiguration) {
        model.width = width ?? model.width
        model.heads = heads ?? model.heads
        model.hidden = hidden ?? model.hidden
        model.encoderLayers = encoderLayers ?? model.encoderLayers
        model.decoderLayers = decoderLayers ?? model.decoderLayers
        model.tying = tying ?? model.tying
        model.embeddingDropout = embeddingDropout ?? dropout ?? model.embeddingDropout
        model.attentionDropout = attentionDropout ?? dropout ?? model.attentionDropout
        model.hiddenDropout = hiddenDropout ?? dropout ?? model.hiddenDropout
        model.residualDropout = residualDropout ?? dropout ?? model.residualDropout
    }
}

extension TeachingSettings.Trainable: ExpressibleByArgument {}

/// Training of a model that there is, by a teacher or not.
struct TeachingOptions: ParsableArguments {
    @Option(help: "Folder of a model to train further, made by splice or train.") var model: String?
    @Option(help: "Folder of the model that it learns from, made by train.") var teacher: String?
    @Option(help: "Share of the teacher in the loss; the rest is cross-entropy against the references. (default: 0.9)")
    var alpha: Float?
    @Option(help: "Temperature at which both distributions are compared. (default: 1)") var temperature: Float?
    @Option(help: "Tokens whose probabilities are kept of each of the teacher's distributions. (default: 8)")
    var likeliest: Int?
    @Option(
        help: """
            Weight in the loss of the squared difference between the model's and the teacher's contexts, relative to \
            the teacher's, where networks span the heads. (default: 0)
            """)
    var matching: Float?
    @Option(
        help: """
            Learn the teacher's translations of the training text, by a search of this beam, in place of the \
            references (sequence-level distillation, Kim and Rush 2016); the validation loss, by which the best epoch \
            is chosen, is then of translations too. 0: the references. (default: 0)
            """)
    var teacherBeam: Int?
    @Option(help: "What learns: networks (in attentions' places) or all. (default: networks)") var trainable:
        TeachingSettings.Trainable?

    func validate() throws {
        let given: KeyValuePairs<String, Bool> = [
            "--alpha": alpha != nil, "--temperature": temperature != nil, "--likeliest": likeliest != nil,
            "--matching": matching != nil, "--teacher-beam": teacherBeam != nil, "--trainable": trainable != nil,
        ]
        guard teacher == nil || model != nil else {
            throw ValidationError("--teacher teaches a model that there is: give --model too")
        }
        if teacher == nil, let (name, _) = given.first(where: { $0.value }) {
            throw ValidationError("\(name) is for training in place: give --model and --teacher")
        }
        if alpha == 0, let name = temperature != nil ? "--temperature" : likeliest != nil ? "--likeliest" : nil {
            throw ValidationError("\(name): --alpha 0 leaves out the comparison; leave one of them out")
        }
    }

    func apply(to settings: inout TeachingSettings) {
        settings.alpha = alpha ?? settings.alpha
        settings.temperature = temperature ?? settings.temperature
        settings.likeliest = likeliest ?? settings.likeliest
        if let matching { settings.matching = matching > 0 ? matching : nil }
        if let teacherBeam { settings.translationBeam = teacherBeam > 0 ? teacherBeam : nil }
        settings.trainable = trainable ?? settings.trainable
    }
}

/// How it is trained; what is not given is the preset's.
struct LearningOptions: ParsableArguments {
    @OptionGroup var training: TrainingOptions
    @Option(help: "Target tokens of a batch.") var batchTokens: Int?
    @Option(
        help: """
            Parts that a batch is cut into for processes, a power of two. Changes the last bits of the result. \
            (default: the number of processes)
            """)
    var shares: Int?
    @Option(help: "Label smoothing.") var smoothing: Float?
    @OptionGroup var optimizer: OptimizerOptions
    @Option(help: "Adam's beta1.") var beta1: Float?
    @Option(help: "Adam's beta2.") var beta2: Float?
    @Option(help: "Adam's epsilon.") var epsilon: Float?
    @Option(help: "How many of the best epochs are averaged into the result.") var average: Int?
    @Option(help: "Measure BLEU of greedy translations of the validation set every so many epochs; 0: never.")
    var bleuEvery = 0
    @Option(help: "Cut the gradient's norm to this.") var clip: Float?

    private var shareCount: Int { shares ?? ProcessGroup.shared.count }

    func validate() throws {
        if let problem = Shares.problem(shareCount, processes: ProcessGroup.shared.count) {
            throw ValidationError(problem)
        }
    }

    /// Nothing is measured where there are no validation sentences.
    func requireValidation(_ sentences: Int, in folder: String) throws {
        try training.requireValidation(sentences, in: folder)
        guard sentences == 0, average != nil || bleuEvery > 0 else { return }
        throw DataError(
            path: folder, expected: "validation sentences for \(average == nil ? "--bleu-every" : "--average")",
            found: "none",
            hint: "leave the option out, or hold some sentences out")
    }

    func apply(to values: inout TrainingPreset.Values, preset: TrainingPreset) throws {
        // the preset's peak may follow from width and warm-up
        values.training.schedule = preset.schedule(
            width: values.model.width, shape: training.schedule, warmup: training.warmup)
        training.apply(to: &values.training)
        values.training.averaged = average ?? values.training.averaged
        try optimizer.apply(to: &values.trainee.muon)
        values.training.adam.beta1 = beta1 ?? values.training.adam.beta1
        values.training.adam.beta2 = beta2 ?? values.training.adam.beta2
        values.training.adam.epsilon = epsilon ?? values.training.adam.epsilon
        values.trainee.batchTokens = batchTokens ?? values.trainee.batchTokens
        values.trainee.smoothing = smoothing ?? values.trainee.smoothing
        values.trainee.clip = clip ?? values.trainee.clip
        values.trainee.shares = shareCount > 1 ? shareCount : nil
        values.trainee.seed = training.seed ?? values.trainee.seed
    }
}
