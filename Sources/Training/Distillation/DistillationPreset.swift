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

    public func values(_ spec: Spec) -> Values {
        switch self {
        case .standard:
            // a causal network has an output for every prefix to learn from
            let peak = spec.attention.isCausal ? 1e-2 : 3e-3
            var values = Values(training: TrainingSettings(epochs: 12, schedule: Schedule(.cosine, peak: peak, warmup: 100)))
            values.training.patience = 3
            // wide networks overfit 29,000 sentences; narrow ones cannot learn even what they see
            values.distillation.dropout = spec.size.isNarrow ? 0 : 0.1
            return values
        case .paper:
            var values = Values(training: TrainingSettings(epochs: 21, schedule: Schedule(.constant, peak: spec.mode == .alr ? 1e-4 : 1e-3, warmup: 0)))
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

    public init(spec: Spec, preset: DistillationPreset, values: DistillationPreset.Values, capture: CaptureConfiguration) {
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
        guard !specs.isEmpty, capture.attentions.contains(spec.attention.captured), capture.modes.contains(where: { $0.family == spec.mode.family }) else {
            throw SpecError(
                text: "\(spec)", reason: "the capture holds \(capture.sites.map { "\($0.mode).\($0.attention).\($0.layer)" }.joined(separator: " "))",
                hint: "capture it: --attentions \(spec.attention.captured) --modes \(spec.mode)\(spec.layer.map { " --layers \($0)" } ?? "")")
        }
        return specs
    }
}
