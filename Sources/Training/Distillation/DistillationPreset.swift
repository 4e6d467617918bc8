import Models

/// Named settings of a distillation; every value can be overridden.
package enum DistillationPreset: String, Codable, CaseIterable, Sendable {
    /// Warm-up and cosine decay, a new order every epoch, the best epoch's weights.
    case standard
    /// Those of "Rethinking Attention" (Bozic et al. 2024) and its code: constant rate, 21 epochs, no shuffling.
    case paper

    package struct Values: Codable, Equatable, Sendable {
        package var distillation = DistillationSettings()
        package var training: TrainingSettings
    }

    /// What the family wishes for, or what the paper did.
    package func values(_ spec: Spec) -> Values {
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
package struct DistillConfiguration: Codable, Equatable, Sendable {
    package var spec: Spec
    package var preset: DistillationPreset
    package var values: DistillationPreset.Values
    /// Shape of the teacher's activations.
    package var capture: CaptureConfiguration

    package init(
        spec: Spec, preset: DistillationPreset, values: DistillationPreset.Values, capture: CaptureConfiguration
    ) {
        self.spec = spec
        self.preset = preset
        self.values = values
        self.capture = capture
    }

    package static func weightsName(layer: Int) -> String { "layer-\(layer).safetensors" }

    /// The layers that `spec` covers and that were captured.
    package func specs() throws -> [Spec] {
        let depth = spec.attention == .encoder ? capture.encoderLayers : capture.decoderLayers
        let specs = try spec.layers(of: depth).filter { capture.layers.contains($0.layer!) }
        guard !specs.isEmpty, capture.attentions.contains(spec.attention.captured),
            capture.spans.contains(spec.family.span)
        else {
            let points = capture.points.map { "\($0.span.rawValue).\($0.attention).\($0.layer)" }
            let layer = spec.layer.map { " --layers \($0)" } ?? ""
            throw SpecError(
                text: "\(spec)", reason: "the capture holds \(points.joined(separator: " "))",
                hint: "capture it: --attentions \(spec.attention.captured) --families \(spec.family.name)\(layer)")
        }
        return specs
    }
}
