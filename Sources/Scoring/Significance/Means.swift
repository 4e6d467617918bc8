/// Averages whose last digit agrees with the reference implementation, which takes two different ones.
enum Means {
    /// NumPy's `mean()`: a pairwise sum in the numbers' own precision, divided by their count.
    ///
    /// Up to 128 numbers are summed in eight interleaved lanes, longer arrays by halves that are multiples of eight.
    static func pairwise<Number: BinaryFloatingPoint>(_ values: [Number]) -> Number {
        pairwiseSum(values[...]) / Number(values.count)
    }

    private static func pairwiseSum<Number: BinaryFloatingPoint>(_ values: ArraySlice<Number>) -> Number {
        if values.count < 8 { return values.reduce(0, +) }
        guard values.count <= 128 else {
            let half = values.count / 2 / 8 * 8
            return pairwiseSum(values.prefix(half)) + pairwiseSum(values.dropFirst(half))
        }
        var lanes = Array(values.prefix(8))
        let whole = values.count / 8 * 8
        for offset in 8..<max(8, whole) { lanes[offset % 8] += values[values.startIndex + offset] }
        let sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
        return values.dropFirst(whole).reduce(sum, +)
    }

    /// Python's `statistics.mean()`: the exact sum divided by the count, rounded once, to the nearest and to even.
    ///
    /// The sum of finite doubles >= 0 is kept as one long binary number in units of 2^-1074.
    static func exact(_ values: [Double]) -> Double {
        var sum = LongNumber()
        for value in values where value != 0 {
            let bits = value.significandBitPattern | (value.isNormal ? 1 << 52 : 0)
            sum.add(bits, shifted: max(0, Int(value.exponentBitPattern) - 1))
        }
        return sum.quotient(by: UInt64(values.count))
    }
}

/// A non-negative binary number of 2,240 bits, its last one worth 2^-1074: room for a sum of 2^60 doubles.
private struct LongNumber {
    /// 32 bits each, the least significant first.
    private var limbs = [UInt64](repeating: 0, count: 70)

    mutating func add(_ bits: UInt64, shifted shift: Int) {
        let (limb, offset) = (shift / 32, UInt64(shift % 32))
        let (high, low) = (offset == 0 ? 0 : bits >> (64 - offset), bits << offset)
        var carry: UInt64 = 0
        for (index, part) in [low & 0xFFFF_FFFF, low >> 32, high].enumerated() {
            carry += limbs[limb + index] + part
            limbs[limb + index] = carry & 0xFFFF_FFFF
            carry >>= 32
        }
        var index = limb + 3
        while carry > 0 {
            carry += limbs[index]
            limbs[index] = carry & 0xFFFF_FFFF
            carry >>= 32
            index += 1
        }
    }

    /// The double nearest to the number over `divisor`, which is below 2^32.
    func quotient(by divisor: UInt64) -> Double {
        var digits = limbs
        var remainder: UInt64 = 0
        for index in digits.indices.reversed() {
            let dividend = remainder << 32 | digits[index]
            (digits[index], remainder) = (dividend / divisor, dividend % divisor)
        }
        guard let top = digits.lastIndex(where: { $0 != 0 }) else { return 0 }
        // 64 bits or more from the leading one on; everything below only matters as "more than that": the sticky bit.
        let lead = 32 * top + 63 - digits[top].leadingZeroBitCount
        let lowest = max(0, lead - 62)
        var bits: UInt64 = 0
        for position in lowest...lead {
            bits |= (digits[position / 32] >> UInt64(position % 32) & 1) << UInt64(position - lowest)
        }
        let sticky = remainder != 0 || (0..<lowest).contains { digits[$0 / 32] >> UInt64($0 % 32) & 1 != 0 }
        let rounded = Double(bits << 1 | (sticky ? 1 : 0))
        return Double(sign: .plus, exponent: lowest - 1075, significand: rounded)
    }
}
