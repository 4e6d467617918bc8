import Models

/// Named settings of `train`; every value can be overridden.
package enum TrainingPreset: String, Codable, CaseIterable, Sendable {
    /// What "Rethinking Attention" (Bozic et al. 2024) and its code use.
    case paper
    /// For corpora of less than 100,000 pairs.
    case small
    /// The same in fewer epochs, by Muon.
    case brief
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
            values.model.setDropout(0.3)
            values.trainee.batchTokens = 3000
        case .brief:
            if joint { values.model.tying = .all }
            values.model.setDropout(0.2, attention: 0.2)
            values.trainee.batchTokens = 2000
            values.trainee.muon = Muon()
        case .inplace:
            values.model.setDropout(0, attention: 0)
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
        case .brief: 18
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
        case .brief:
            return Schedule(shape ?? .cosine, peak: 2e-3, warmup: warmup ?? 200)
        case .inplace:
            return Schedule(shape ?? .cosine, peak: 4e-3, warmup: warmup ?? 100)
        }
    }
}

extension TransformerConfiguration {
    /// Everywhere but on attention weights, and there if `attention` is given.
    fileprivate mutating func setDropout(_ share: Float, attention: Float? = nil) {
        (embeddingDropout, hiddenDropout, residualDropout) = (share, share, share)
        attentionDropout = attention ?? attentionDropout
    }
}
