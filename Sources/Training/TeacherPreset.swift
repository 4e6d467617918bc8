import Models

/// Named settings of a teacher's training; every value can be overridden.
public enum TeacherPreset: String, Codable, CaseIterable, Sendable {
    /// What "Rethinking Attention" (Bozic et al. 2024) and its code use.
    case paper
    /// For corpora of less than 100,000 pairs.
    case small

    public struct Values: Codable, Equatable, Sendable {
        public var model: TransformerConfiguration
        public var teacher = TeacherSettings()
        public var training: TrainingSettings
    }

    public func values(sourceVocabulary: Int, targetVocabulary: Int, joint: Bool) -> Values {
        var model = TransformerConfiguration(sourceVocabulary: sourceVocabulary, targetVocabulary: targetVocabulary)
        switch self {
        case .paper:
            let warmup = 4000
            return Values(
                model: model,
                training: TrainingSettings(epochs: 20, schedule: Schedule(.noam, peak: Schedule.noamPeak(width: model.width, warmup: warmup), warmup: warmup)))
        case .small:
            if joint { model.tying = .all }
            var training = TrainingSettings(epochs: 40, schedule: Schedule(.noam, peak: 2e-3, warmup: 2000))
            training.averaged = 5
            training.patience = 5
            return Values(model: model, training: training)
        }
    }
}
