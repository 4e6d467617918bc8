import Testing

/// Deterministic numbers for test inputs (SplitMix64, Steele et al. 2014).
struct Source {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }

    mutating func uniform(_ range: ClosedRange<Double> = -1...1) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(bits() >> 11) * 0x1p-53
    }

    /// Floats, so that the exact same numbers can be given to a kernel and, widened, to its oracle.
    mutating func floats(_ count: Int, _ range: ClosedRange<Double> = -1...1) -> [Float] {
        (0..<count).map { _ in Float(uniform(range)) }
    }
    mutating func labels(_ count: Int, below limit: Int) -> [Int32] { (0..<count).map { _ in Int32(below(limit)) } }
}

func widened(_ x: [Float]) -> [Double] { x.map(Double.init) }

/// |actual - expected| <= tolerance x max(1, largest |expected|), for every element; NaN never passes. Says which is
/// worst.
func expectClose(
    _ actual: [Float], _ expected: [Double], within tolerance: Double, _ what: @autoclosure () -> String,
    at location: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what()): \(actual.count) values, expected \(expected.count)", sourceLocation: location)
        return
    }
    let size = expected.reduce(1) { max($0, abs($1)) }
    var worst = 0, largest = 0.0
    for i in actual.indices {
        let difference = abs(Double(actual[i]) - expected[i])
        if !(difference <= largest) { (worst, largest) = (i, difference) }
        if difference.isNaN { break }
    }
    if !(largest <= tolerance * size) {
        Issue.record(
            "\(what()): element \(worst) is \(actual[worst]), expected \(expected[worst]); difference \(largest) of at most \(tolerance * size)",
            sourceLocation: location)
    }
}

/// Compares a gradient with central differences of `loss`, a function in Double, at up to 24 elements spread over `x`.
func expectGradient(
    _ gradient: [Float], at x: [Double], within tolerance: Double, _ what: @autoclosure () -> String,
    at location: SourceLocation = #_sourceLocation,
    of loss: ([Double]) -> Double
) {
    let step = 1e-5, stride = max(1, x.count / 24)
    var moved = x, picked: [Float] = [], expected: [Double] = []
    for i in Swift.stride(from: x.count - 1, through: 0, by: -stride) {
        moved[i] = x[i] + step
        let above = loss(moved)
        moved[i] = x[i] - step
        let below = loss(moved)
        moved[i] = x[i]
        picked.append(gradient[i])
        expected.append((above - below) / (2 * step))
    }
    expectClose(picked, expected, within: tolerance, "gradient of \(what())", at: location)
}

/// sum_i a_i b_i: with fixed random a, a scalar loss whose gradient with respect to b is a.
func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
