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
        let model = TransformerConfiguration(sourceVocabulary: sourceVocabulary, targetVocabulary: targetVocabulary)
        var values = Values(
            model: model, training: TrainingSettings(epochs: epochs, schedule: schedule(width: model.width)))
        switch self {
        case .paper: break
        case .small:
            if joint { values.model.tying = .all }
            values.model.embeddingDropout = 0.3
            values.model.hiddenDropout = 0.3
            values.model.residualDropout = 0.3
            values.trainee.batchTokens = 3000
        case .inplace:
            values.model.embeddingDropout = 0
            values.model.attentionDropout = 0
            values.model.hiddenDropout = 0
            values.model.residualDropout = 0
            values.trainee.batchTokens = 2500
            values.trainee.clip = 1
            values.trainee.teaching = TeachingSettings()
        }
        return values
    }

    private var epochs: Int {
        switch self {
        case .paper: 20
        case .small: 40
        case .inplace: 6
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
