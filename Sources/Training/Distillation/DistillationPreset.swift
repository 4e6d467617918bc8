import Models

/// Named settings of a distillation; every value can be overridden.
public enum DistillationPreset: String, Codable, CaseIterable, Sendable {
    /// Warm-up and cosine decay, a new order every epoch, the best epoch's weights.
    case standard
    /// Those of "Rethinking Attention" (Bozic et al. 2024) and its code: constant rate, 21 epochs, no shuffling.
    case paper

    public struct Values: Codable, Equatable, Sendable {
        public var distillation = DistillationSettings()
        public var training: TrainingSettings
    }

    /// What the family wishes for, or what the paper did.
    public func values(_ spec: Spec) -> Values {
        let recipe = spec.family.recipe(spec)
        switch self {
        case .standard:
            let schedule = Schedule(.cosine, peak: recipe.peak, warmup: 100)
            var values = Values(training: TrainingSettings(epochs: recipe.epochs, schedule: schedule))
            values.training.patience = recipe.patience
            values.distillation.dropout = recipe.dropout
            values.distillation.batchTokens = recipe.batchTokens
            values.distillation.clip = recipe.clip
            return values
        case .paper:
            let schedule = Schedule(.constant, peak: recipe.paperPeak ?? recipe.peak, warmup: 0)
            var values = Values(training: TrainingSettings(epochs: 21, schedule: schedule))
            values.distillation.shuffles = false
            return values
        }
    }
}

/// What a folder of distilled replacements holds; the configuration in its manifest.
public struct DistillConfiguration: Codable, Equatable, Sendable {
    public var spec: Spec
    public var preset: DistillationPreset
    public var values: DistillationPreset.Values
    /// Shape of the teacher's activations.
    public var capture: CaptureConfiguration

    public init(
        spec: Spec, preset: DistillationPreset, values: DistillationPreset.Values, capture: CaptureConfiguration
    ) {
        self.spec = spec
        self.preset = preset
        self.values = values
        self.capture = capture
    }

    public static func weightsName(layer: Int) -> String { "layer-\(layer).safetensors" }

    /// The layers that `spec` covers and that were captured.
    public func specs() throws -> [Spec] {
        let depth = spec.attention == .encoder ? capture.encoderLayers : capture.decoderLayers
        let specs = try spec.layers(of: depth).filter { capture.layers.contains($0.layer!) }
        guard !specs.isEmpty, capture.attentions.contains(spec.attention.captured),
            capture.spans.contains(spec.family.span)
        else {
            throw SpecError(
                text: "\(spec)",
                reason:
                    "the capture holds \(capture.sites.map { "\($0.span.rawValue).\($0.attention).\($0.layer)" }.joined(separator: " "))",
                hint:
                    "capture it: --attentions \(spec.attention.captured) --families \(spec.family.name)\(spec.layer.map { " --layers \($0)" } ?? "")"
            )
        }
        return specs
    }
}
