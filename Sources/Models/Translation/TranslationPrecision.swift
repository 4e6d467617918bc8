import Kernels

/// What the products of translation are made of. A network that stands for an attention is an approximation, in which
/// bytes round far less than it leaves unexplained; without networks `mixed` is `float32`.
package enum TranslationPrecision: String, CaseIterable, Codable, Sendable {
    case float32
    /// Networks in int8, with an output projection that has become part of one (`isProjected`); the rest in float32.
    case mixed
    case int8

    package var transformer: Precision { self == .int8 ? .int8 : .float32 }
    package var networks: Precision { self == .float32 ? .float32 : .int8 }
}
