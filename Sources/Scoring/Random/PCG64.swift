/// The generator behind NumPy's `default_rng(seed)`: PCG XSL-RR with 128 bits of state and 64 of output.
///
///     state <- state x 0x2360ED051FC65DA44385DF649FCCF645 + increment        (mod 2^128)
///     output = (high xor low) rotated right by the state's top six bits
///
/// Only the draws that resampling needs are here: bounded integers and single bits, in NumPy's stream.
///
/// Source: O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
/// Generation"; Lemire 2019, "Fast Random Integer Generation in an Interval".
struct PCG64 {
    private var state: (high: UInt64, low: UInt64) = (0, 0)
    private let increment: (high: UInt64, low: UInt64)
    /// The second half of a 64-bit output whose first half was used.
    private var spareHalf: UInt32?

    init(seed: UInt64) {
        let words = SeedSequence(seed).words(4)
        increment = (words[2] << 1 | words[3] >> 63, words[3] << 1 | 1)
        step()
        add((words[0], words[1]))
        step()
    }

    mutating func next64() -> UInt64 {
        step()
        let folded = state.high ^ state.low
        let rotation = state.high >> 58
        return folded >> rotation | folded << ((64 - rotation) & 63)
    }

    /// Half of an output: the low one first, the high one at the next call.
    mutating func next32() -> UInt32 {
        if let half = spareHalf {
            spareHalf = nil
            return half
        }
        let word = next64()
        spareHalf = UInt32(truncatingIfNeeded: word >> 32)
        return UInt32(truncatingIfNeeded: word)
    }

    /// A uniform integer in `0..<bound`, as `Generator.integers(bound)` and `Generator.choice(bound)` draw it: the high
    /// half of a 32-bit draw times the bound; draws that would favour some numbers are rejected. A bound of 1 draws
    /// nothing.
    mutating func integer(below bound: UInt32) -> Int {
        if bound == 1 { return 0 }
        var product = UInt64(next32()) * UInt64(bound)
        if UInt32(truncatingIfNeeded: product) < bound {
            let threshold = (0 &- bound) % bound
            while UInt32(truncatingIfNeeded: product) < threshold { product = UInt64(next32()) * UInt64(bound) }
        }
        return Int(product >> 32)
    }

    private mutating func step() {
        let multiplier: (high: UInt64, low: UInt64) = (0x2360_ED05_1FC6_5DA4, 0x4385_DF64_9FCC_F645)
        let product = state.low.multipliedFullWidth(by: multiplier.low)
        state.high = product.high &+ state.high &* multiplier.low &+ state.low &* multiplier.high
        state.low = product.low
        add(increment)
    }

    private mutating func add(_ number: (high: UInt64, low: UInt64)) {
        let (low, carry) = state.low.addingReportingOverflow(number.low)
        state = (state.high &+ number.high &+ (carry ? 1 : 0), low)
    }
}
