import CKernels
import Testing

struct ConversionTests {
    private func half(_ x: [Float]) -> [UInt16] {
        var y = [UInt16](repeating: 0xAAAA, count: x.count)
        float_to_half(x, &y, x.count)
        return y
    }

    private func float(_ x: [UInt16]) -> [Float] {
        var y = [Float](repeating: -1, count: x.count)
        half_to_float(x, &y, x.count)
        return y
    }

    /// IEEE 754 binary16 by its definition.
    private func value(_ bits: UInt16) -> Double {
        let exponent = Int((bits >> 10) & 31), fraction = Double(bits & 1023)
        let size: Double
        switch exponent {
        case 0: size = fraction * 0x1p-24
        case 31: size = fraction == 0 ? .infinity : .nan
        default: size = (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
        }
        return bits >> 15 == 1 ? -size : size
    }

    @Test func everyHalfWidensExactlyAndReturns() {
        let all = (0...UInt16.max).map { $0 }, wide = float(all), back = half(wide)
        for bits in all {
            let expected = value(bits), i = Int(bits)
            if expected.isNaN {
                #expect(wide[i].isNaN && value(back[i]).isNaN)
            } else if Double(wide[i]) != expected || wide[i].sign != Float(expected).sign || back[i] != bits {
                Issue.record("half \(bits) became \(wide[i]) and \(back[i])")
            }
        }
    }

    /// Between neighbours a < b: just below the middle gives a, just above gives b, the middle whichever is even.
    @Test func narrowingRoundsToNearestEven() {
        let low = (0..<UInt16(0x7BFF)).map { $0 }
        let middle = low.map { Float((value($0) + value($0 + 1)) / 2) }
        #expect(half(middle.map(\.nextDown)) == low)
        #expect(half(middle) == low.map { $0 % 2 == 0 ? $0 : $0 + 1 })
        #expect(half(middle.map(\.nextUp)) == low.map { $0 + 1 })
        #expect(half(middle.map { -$0.nextUp }) == low.map { 0x8000 | ($0 + 1) })
    }

    @Test func theEndsOfTheRange() {
        let x: [Float] = [
            65504, Float(65520).nextDown, 65520, .greatestFiniteMagnitude, .infinity, -.infinity, 0x1p-25,
            Float(0x1p-25).nextUp, .leastNonzeroMagnitude, -0.0,
        ]
        #expect(half(x) == [0x7BFF, 0x7BFF, 0x7C00, 0x7C00, 0x7C00, 0xFC00, 0, 1, 0, 0x8000])
        #expect(value(half([.nan])[0]).isNaN)
    }

    /// Lengths that leave a remainder of every kind after whole vectors; nothing beyond is written.
    @Test(arguments: 0...40)
    func everyLength(count: Int) {
        var source = Source(UInt64(count))
        let x = source.floats(count, -100...100)
        var narrow = [UInt16](repeating: 0xAAAA, count: count + 1), wide = [Float](repeating: -7, count: count + 1)
        float_to_half(x, &narrow, count)
        half_to_float(narrow, &wide, count)
        for i in 0..<count { #expect(abs(wide[i] - x[i]) <= abs(x[i]) * 0x1p-11 + 0x1p-25) }
        #expect(narrow[count] == 0xAAAA && wide[count] == -7)
    }
}
