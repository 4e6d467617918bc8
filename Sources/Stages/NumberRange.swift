import ArgumentParser
import Foundation
import Models
import Training

/// The numbers that an option may have. One table for all programs, looked at before anything is computed with a
/// number: what is in range can be multiplied and added as the programs do without overflow, and is finite.
struct NumberRange {
    let values: ClosedRange<Double>
    /// The ends that are not in it.
    var excludesLower = false
    var excludesUpper = false

    static let all: [String: NumberRange] = [
        "--threads": of(1, 1024),
        // training
        "--epochs": of(1, 1e6), "--max-steps": of(1, 1e9), "--warmup": of(0, 1e9), "--patience": of(0, 1e6),
        "--average": of(1, 1000),
        "--peak": above(0, 1e30), "--weight-decay": of(0, 1), "--checkpoint-seconds": of(0, 1e6),
        "--bleu-every": of(0, 1e6),
        "--shares": of(Shares.range), "--batch": of(1, 1e6),
        "--batch-tokens": of(1, 1e9), "--smoothing": below(0, 1),
        "--muon-scale": of(1e-6, 1e3), "--muon-momentum": below(0, 1),
        "--beta1": below(0, 1), "--beta2": below(0, 1), "--epsilon": of(1e-12, 1),
        "--dropout": below(0, 1), "--embedding-dropout": below(0, 1), "--attention-dropout": below(0, 1),
        "--hidden-dropout": below(0, 1), "--residual-dropout": below(0, 1),
        "--clip": above(0, 1e30), "--alpha": of(0, 1), "--temperature": of(0.1, 100),
        "--likeliest": of(1, Double(Labels.Teacher.mostLikeliest)),
        "--matching": of(0, 1000), "--teacher-beam": of(0, 64),
        // shapes
        "--width": of(Shape.widths), "--heads": of(Shape.headCounts), "--hidden": of(Shape.hiddenWidths),
        "--encoder-layers": of(Shape.encoderDepths), "--decoder-layers": of(Shape.decoderDepths),
        "--layers": of(0...Shape.decoderDepths.upperBound - 1),
        // text
        "--source-column": of(1, 1e6), "--target-column": of(1, 1e6), "--hold-out-valid": of(0, 1e9),
        "--hold-out-test": of(0, 1e9),
        "--vocabulary-size": of(0, 1e6), "--minimum-frequency": of(1, 1e9), "--coverage": of(0.98, 1),
        "--max-tokens": of(2...Shape.mostTokens),
        "--join": of(1, 1000), "--join-test": of(1, 1000),
        // translation and scores
        "--beam": of(1, 64), "--length-penalty": of(0, 10), "--max-length-ratio": of(0, 1000),
        "--forced-length": of(1...Shape.mostTokens),
        "--bound": of(0, 100), "--resamples": of(0, 1e6), "--bootstrap": of(0, 1e6),
        "--maps": of(0, 1000),
        "--chrf-char-order": of(1, 6), "--chrf-word-order": of(0, 2), "--chrf-beta": of(0, 100),
        "--paired-bs-n": of(1, 1e6), "--paired-ar-n": of(1, 1e6),
        // measurements
        "--seconds": above(0, 3600),
    ]

    private typealias Shape = TransformerConfiguration

    private static func of(_ range: ClosedRange<Int>) -> NumberRange {
        of(Double(range.lowerBound), Double(range.upperBound))
    }
    private static func of(_ lower: Double, _ upper: Double) -> NumberRange { NumberRange(values: lower...upper) }
    private static func above(_ lower: Double, _ upper: Double) -> NumberRange {
        NumberRange(values: lower...upper, excludesLower: true)
    }
    private static func below(_ lower: Double, _ upper: Double) -> NumberRange {
        NumberRange(values: lower...upper, excludesUpper: true)
    }

    /// False for NaN, and for what single precision rounds to an end that is not in it.
    func contains(_ value: Double) -> Bool {
        values.contains(value) && !(excludesLower && Float(value) == Float(values.lowerBound))
            && !(excludesUpper && Float(value) == Float(values.upperBound))
    }

    /// Refuses the first number that is out of its range. What does not read as a number is left to the parser.
    static func check(_ given: GivenArguments) throws {
        for (name, texts) in given.values.sorted(by: { $0.key < $1.key }) {
            guard let range = all[name] else { continue }
            for text in texts {
                guard let value = Double(text), !range.contains(value) else { continue }
                throw ValidationError("\(name) must be \(range.words), not \(text)")
            }
        }
    }

    private var words: String {
        let lower = (excludesLower ? "above " : "at least ") + Self.text(values.lowerBound)
        return lower + (excludesUpper ? " and below " : " and at most ") + Self.text(values.upperBound)
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && value < 1e10 ? "\(Int(value))" : "\(value)"
    }
}
