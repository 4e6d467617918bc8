/// Turns a seed into the well-mixed words that start a generator, as NumPy's `SeedSequence` does.
///
/// A pool of four 32-bit words is filled with the seed's words, each hashed, then every word is mixed into every other.
///
/// Source: O'Neill, "Developing a seed_seq alternative" (2015); NumPy, `numpy.random.SeedSequence`.
struct SeedSequence {
    private var pool = [UInt32](repeating: 0, count: 4)

    init(_ seed: UInt64) {
        let entropy = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32), 0, 0]
        var hash = Hash(constant: 0x43B0_D7E5, multiplier: 0x931E_8875)
        for index in pool.indices { pool[index] = hash(entropy[index]) }
        for source in pool.indices {
            for target in pool.indices where target != source {
                pool[target] = Self.mix(pool[target], hash(pool[source]))
            }
        }
    }

    /// `count` words of 64 bits, the low half of each drawn first.
    func words(_ count: Int) -> [UInt64] {
        var hash = Hash(constant: 0x8B51_F9DD, multiplier: 0x58F3_8DED)
        return (0..<count).map { word in
            let low = hash(pool[2 * word % 4])
            let high = hash(pool[(2 * word + 1) % 4])
            return UInt64(high) << 32 | UInt64(low)
        }
    }

    private static func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
        let mixed = 0xCA01_F9DD &* x &- 0x4973_F715 &* y
        return mixed ^ (mixed >> 16)
    }

    /// A hash whose constant moves on with every use.
    private struct Hash {
        var constant: UInt32
        let multiplier: UInt32

        mutating func callAsFunction(_ value: UInt32) -> UInt32 {
            let mixed = value ^ constant
            constant &*= multiplier
            let product = mixed &* constant
            return product ^ (product >> 16)
        }
    }
}
