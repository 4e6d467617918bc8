import ArgumentParser
import Stages
import Training

/// How it is trained; what is not given is the preset's.
struct DistillOptions: ParsableArguments {
    @OptionGroup var training: TrainingOptions
    @Option(help: "Sentences of a batch.") var batch: Int?
    @Option(help: "Tokens of a batch, in place of --batch.") var batchTokens: Int?
    @Option(help: "Cut the gradient's norm to this; families that update weights block by block cannot.") var clip: Float?
    @Option(help: "Dropout of the hidden layer.") var dropout: Float?

    func apply(to values: inout DistillationPreset.Values) {
        training.apply(to: &values.training)
        values.distillation.batch = batch ?? values.distillation.batch
        if batch != nil { values.distillation.batchTokens = nil }
        values.distillation.batchTokens = batchTokens ?? values.distillation.batchTokens
        values.distillation.clip = clip ?? values.distillation.clip
        values.distillation.dropout = dropout ?? values.distillation.dropout
        values.distillation.seed = training.seed ?? values.distillation.seed
    }
}
