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
    @Option(help: "Dropout of the hidden layer, where a family has one.") var dropout: Float?

    func validate() throws {
        if batch != nil, batchTokens != nil { throw ValidationError("--batch and --batch-tokens exclude each other") }
    }

    /// What a family has no use for must not be given.
    func requireUse(by spec: Spec) throws {
        let given: [(DistillationRecipe.Setting, Bool)] = [(.dropout, dropout ?? 0 > 0), (.clip, clip != nil)]
        for (setting, isGiven) in given where isGiven && !spec.family.recipe(spec).settings.contains(setting) {
            throw ValidationError("--\(setting.rawValue) is not for family \(spec.family.name)")
        }
    }

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
