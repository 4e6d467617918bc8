/// Fair coins, as `Generator.integers(2, dtype=bool)` throws them: every 32-bit draw gives 32, the lowest bit first.
struct RandomBits {
    private var generator: PCG64
    private var word: UInt32 = 0
    private var available = 0

    init(seed: UInt64) { generator = PCG64(seed: seed) }

    /// Throws a coin for every index in `0..<count` and calls `body` with those that came up 1, ascending.
    mutating func forEachHead(of count: Int, _ body: (Int) -> Void) {
        var start = 0
        while start < count {
            if available == 0 { (word, available) = (generator.next32(), 32) }
            let taken = min(available, count - start)
            var heads = taken == 32 ? word : word & (1 << UInt32(taken) - 1)
            while heads != 0 {
                body(start + heads.trailingZeroBitCount)
                heads &= heads - 1
            }
            word = taken == 32 ? 0 : word >> UInt32(taken)
            available -= taken
            start += taken
        }
    }
}
