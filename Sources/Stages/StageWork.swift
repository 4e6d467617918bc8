import Foundation

/// What a run of a stage is to make: all that decides the bytes of its output, and what becomes of work begun earlier.
package struct StageWork {
    /// Name of the program, as in manifests and in the registry.
    let stage: String
    /// What is made, where that has a name, such as `alr-m.encoder`.
    let spec: String?
    /// What the registry calls it, where only its folder has a name; decides no bytes.
    let label: String?
    /// Recorded as JSON, its scalar members as params too.
    let configuration: any Encodable
    /// What is read; the manifest lists it by role.
    let inputs: [StageInput]
    /// Of all random numbers; nil for a stage that draws none.
    let seed: UInt64?
    /// Whether the stage has checkpoints, and what becomes of one of other settings.
    let resumption: Resumption

    package init(
        _ stage: String, spec: String? = nil, label: String? = nil, configuration: some Encodable,
        inputs: [StageInput] = [],
        seed: UInt64? = nil, resumption: Resumption = .never
    ) {
        self.stage = stage
        self.spec = spec
        self.label = label
        self.configuration = configuration
        self.inputs = inputs
        self.seed = seed
        self.resumption = resumption
    }
}

extension RunKey {
    init(_ work: StageWork) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        self.init(
            stage: work.stage, revision: Program.revision(of: work.stage), spec: work.spec, seed: work.seed,
            configuration: try encoder.encode(work.configuration),
            inputs: work.inputs.map { ($0.role, $0.sha256) })
    }
}
