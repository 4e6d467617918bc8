import CKernels
import Testing

struct RandomTests {
    private func uniform(_ count: Int, seed: UInt64 = 7, stream: UInt32 = 3, step: UInt32 = 5) -> [Float] {
        var out = [Float](repeating: -1, count: count)
        random_uniform(&out, count, seed, stream, step)
        return out
    }

    /// Known answer for 7 rounds, counter 0 and key 0, from the Random123 distribution (kat_vectors).
    @Test func philoxGivesTheKnownAnswer() {
        let known: [UInt32] = [0x5f6f_b709, 0x0d89_3f64, 0x4f12_1f81, 0x4f73_0a48]
        #expect(PhiloxReference.block((0, 0, 0, 0), seed: 0) == known)
        #expect(uniform(4, seed: 0, stream: 0, step: 0) == known.map { Float($0 >> 8) * 0x1p-24 })
    }

    /// Known answers for 10 rounds, from the same list, to anchor the reference itself beyond the zero vector.
    @Test func theReferenceGivesTheKnownAnswersOfTenRounds() {
        #expect(
            PhiloxReference.block((0, 0, 0, 0), seed: 0, rounds: 10) == [
                0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
            ])
        let ones = UInt32.max
        #expect(
            PhiloxReference.block((ones, ones, ones, ones), seed: .max, rounds: 10) == [
                0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
            ])
        let pi = PhiloxReference.block(
            (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), seed: 0x299f_31d0_a409_3822, rounds: 10)
        #expect(pi == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 31, 64, 65, 1000])
    func uniformFollowsTheDefinition(count: Int) {
        let seed: UInt64 = 0xDEAD_BEEF_0BAD_CAFE, stream: UInt32 = 0x8000_0011, step: UInt32 = 123_456
        let expected = (0..<count).map { i in
            Float(PhiloxReference.block((UInt32(i / 4), 0, stream, step), seed: seed)[i % 4] >> 8) * 0x1p-24
        }
        #expect(uniform(count, seed: seed, stream: stream, step: step) == expected)
    }

    @Test func numbersDependOnSeedStreamAndStepAlone() {
        let base = uniform(64)
        #expect(base == uniform(64))
        #expect(Array(uniform(64)[..<10]) == uniform(10))
        for other in [
            uniform(64, seed: 8), uniform(64, seed: 7 | 1 << 32), uniform(64, stream: 4), uniform(64, step: 6),
        ] {
            #expect(zip(base, other).allSatisfy { $0 != $1 })
        }
    }

    /// Mean and variance of 100,000 uniform numbers, within five standard errors.
    @Test func uniformIsUniform() {
        let x = widened(uniform(100_000))
        #expect(x.allSatisfy { (0..<1).contains($0) })
        let mean = x.reduce(0, +) / 1e5, variance = x.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 1e5
        #expect(abs(mean - 0.5) < 5 * 0.2887 / 316.2)
        #expect(abs(variance - 1.0 / 12) < 5 * 0.0745 / 316.2)
    }

    /// Kept fraction within five standard errors, for the elements of a matrix.
    @Test(arguments: [0.1, 0.3, 0.5, 0.9] as [Float])
    func dropoutKeepsTheRightFraction(rate: Float) {
        let rows = 500, d = 200
        var h = [Float](repeating: 1, count: rows * d)
        bias_relu_dropout_forward(&h, [Float](repeating: 0, count: d), rows, d, dropout_t(rate: rate))
        let kept = Double(h.count { $0 != 0 }) / Double(h.count), expected = Double(1 - rate)
        #expect(abs(kept - expected) < 5 * (expected * (1 - expected) / Double(h.count)).squareRoot())
        #expect(Set(h) == [0, 1 / (1 - rate)])
    }
}
