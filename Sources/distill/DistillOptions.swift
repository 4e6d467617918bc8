import ArgumentParser
import Models
import Stages
import Training

/// How it is trained; what is not given is the preset's.
struct DistillOptions: ParsableArguments {
    @OptionGroup var training: TrainingOptions
    @Option(help: "Sentences of a batch.") var batch: Int?
    @Option(help: "Tokens of a batch, in place of --batch.") var batchTokens: Int?
    @Option(help: "Cut the gradient's norm to this, where a family knows all of it before it updates.") var clip: Float?
    @OptionGroup var optimizer: OptimizerOptions
    @Option(help: "Dropout of the hidden layer, where a family has one.") var dropout: Float?

    func validate() throws {
        if batch != nil, batchTokens != nil { throw ValidationError("--batch and --batch-tokens exclude each other") }
    }

    /// What a family has no use for must not be given.
    func requireUse(by spec: Spec) throws {
        let given: [(DistillationRecipe.Setting, String?)] = [
            (.dropout, dropout ?? 0 > 0 ? "--dropout" : nil), (.clip, clip != nil ? "--clip" : nil),
            (.muon, optimizer.muonOption),
        ]
        for (setting, option) in given where !spec.family.recipe(spec).settings.contains(setting) {
            if let option { throw ValidationError("\(option) is not for family \(spec.family.name)") }
        }
    }

    func apply(to values: inout DistillationPreset.Values) throws {
        training.apply(to: &values.training)
        values.distillation.batch = batch ?? values.distillation.batch
        if batch != nil { values.distillation.batchTokens = nil }
        values.distillation.batchTokens = batchTokens ?? values.distillation.batchTokens
        try optimizer.apply(to: &values.distillation.muon)
        values.distillation.clip = clip ?? values.distillation.clip
        values.distillation.dropout = dropout ?? values.distillation.dropout
        values.distillation.seed = training.seed ?? values.distillation.seed
    }
}
