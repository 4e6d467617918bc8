import Foundation

/// Learning rate by step; the first step is 1.
public struct Schedule: Codable, Equatable, Sendable {
    public enum Shape: String, Codable, CaseIterable, Sendable {
        /// rate at every step after a linear warm-up
        case constant
        /// peak min(s / w, sqrt(w / s)); with peak (d w)^-0.5 the schedule of Vaswani et al. 2017, eq. 3
        case noam
        /// linear warm-up to the peak, then half a cosine down to zero at the last step (Loshchilov & Hutter 2017)
        case cosine
    }

    public var shape: Shape
    public var peak: Double
    public var warmup: Int

    public init(_ shape: Shape, peak: Double, warmup: Int) {
        self.shape = shape
        self.peak = peak
        self.warmup = warmup
    }

    /// The peak of Vaswani's schedule, d^-0.5 w^-0.5.
    public static func noamPeak(width: Int, warmup: Int) -> Double {
        1 / (Double(width) * Double(max(warmup, 1))).squareRoot()
    }

    public func rate(step: Int, of total: Int) -> Float {
        let s = Double(step), w = Double(warmup)
        if s < w { return Float(peak * s / w) }
        switch shape {
        case .constant: return Float(peak)
        case .noam: return Float(peak * (max(w, 1) / s).squareRoot())
        case .cosine:
            let progress = min(1, (s - w) / max(1, Double(total) - w))
            return Float(peak * (1 + cos(.pi * progress)) / 2)
        }
    }
}
