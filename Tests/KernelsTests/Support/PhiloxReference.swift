import CKernels

/// Philox 4x32 written again from Salmon et al. 2011, section 3, as the kernels' random numbers are defined by it.
enum PhiloxReference {
    static func block(_ counter: (UInt32, UInt32, UInt32, UInt32), seed: UInt64, rounds: Int = 7) -> [UInt32] {
        var (x0, x1, x2, x3) = counter
        for round in 0..<rounds {
            let key0 = UInt32(truncatingIfNeeded: seed) &+ UInt32(round) &* 0x9E37_79B9
            let key1 = UInt32(truncatingIfNeeded: seed >> 32) &+ UInt32(round) &* 0xBB67_AE85
            let (high0, low0) = x0.multipliedFullWidth(by: 0xD251_1F53),
                (high1, low1) = x2.multipliedFullWidth(by: 0xCD9E_8D57)
            (x0, x1, x2, x3) = (high1 ^ x1 ^ key0, low1, high0 ^ x3 ^ key1, low0)
        }
        return [x0, x1, x2, x3]
    }

    /// 16-bit element `index` of a stream: eight to a block, low half first.
    static func bits(_ index: UInt64, _ d: dropout_t) -> UInt32 {
        let number = index / 8
        let words = block(
            (UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), d.stream, d.step),
            seed: d.seed)
        let word = words[Int(index % 8) / 2]
        return index % 2 == 0 ? word & 0xFFFF : word >> 16
    }

    /// The factor that dropout multiplies element `index` of a stream by.
    static func factor(_ index: UInt64, _ d: dropout_t) -> Double {
        d.keep_below > 65535 ? 1 : bits(index, d) < d.keep_below ? Double(d.scale) : 0
    }

    /// Factors of a [rows, d] matrix that begins at a row of the stream; each row starts on a block.
    static func factors(rows: Int, _ width: Int, _ d: dropout_t) -> [Double] {
        (0..<rows * width).map {
            factor((d.row + UInt64($0 / width)) * UInt64((width + 7) / 8 * 8) + UInt64($0 % width), d)
        }
    }
}

extension dropout_t {
    static let none = dropout_t(seed: 0, stream: 0, step: 0, keep_below: 65536, scale: 1, row: 0)

    init(
        rate: Float, seed: UInt64 = 0x1234_5678_9ABC_DEF0, stream: UInt32 = 0x0003_0007, step: UInt32 = 41,
        row: UInt64 = 0
    ) {
        self.init(
            seed: seed, stream: stream, step: step, keep_below: UInt32(((1 - rate) * 65536).rounded()),
            scale: 1 / (1 - rate), row: row)
    }
}
