import Models

/// Named settings of `train`; every value can be overridden.
package enum TrainingPreset: String, Codable, CaseIterable, Sendable {
    /// What "Rethinking Attention" (Bozic et al. 2024) and its code use.
    case paper
    /// For corpora of less than 100,000 pairs.
    case small
    /// For a spliced model that learns from its teacher, in place.
    case inplace

    package struct Values: Codable, Equatable, Sendable {
        package var model: TransformerConfiguration
        package var trainee = TransformerTrainee.Settings()
        package var training: TrainingSettings

        private enum CodingKeys: String, CodingKey {
            case model, training
            case trainee = "teacher"  // in all manifests that there are
        }
    }

    package func values(sourceVocabulary: Int, targetVocabulary: Int, joint: Bool) -> Values {
        var model = TransformerConfiguration(sourceVocabulary: sourceVocabulary, targetVocabulary: targetVocabulary)
        switch self {
        case .paper:
            return Values(model: model, training: TrainingSettings(epochs: 20, schedule: schedule(width: model.width)))
        case .small:
            if joint { model.tying = .all }
            model.embeddingDropout = 0.3
            model.hiddenDropout = 0.3
            model.residualDropout = 0.3
            var values = Values(
                model: model, training: TrainingSettings(epochs: 40, schedule: schedule(width: model.width)))
            values.trainee.batchTokens = 3000
            return values
        case .inplace:
            model.embeddingDropout = 0
            model.attentionDropout = 0
            model.hiddenDropout = 0
            model.residualDropout = 0
            var values = Values(
                model: model, training: TrainingSettings(epochs: 6, schedule: schedule(width: model.width)))
            values.trainee.batchTokens = 2500
            values.trainee.clip = 1
            values.trainee.teaching = TeachingSettings()
            return values
        }
    }

    /// The learning rate of a model of this width.
    package func schedule(width: Int, shape: Schedule.Shape? = nil, warmup: Int? = nil) -> Schedule {
        switch self {
        case .paper:
            let warmup = warmup ?? 4000
            return Schedule(shape ?? .noam, peak: Schedule.noamPeak(width: width, warmup: warmup), warmup: warmup)
        case .small:
            return Schedule(shape ?? .cosine, peak: 2.5e-3, warmup: warmup ?? 1200)
        case .inplace:
            return Schedule(shape ?? .cosine, peak: 4e-3, warmup: warmup ?? 100)
        }
    }
}
