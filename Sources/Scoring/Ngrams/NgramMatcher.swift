/// Counts the n-grams that a hypothesis shares with its references, for all orders in one go.
///
///     matches[n - 1] = sum over distinct n-grams g of
///                      min(count of g in the hypothesis, max over references of count of g in the reference)
///
/// which is the clipped count of Papineni et al. 2002, section 2.1. Symbols are integers: token numbers for BLEU,
/// Unicode scalars for chrF.
///
/// An n-gram is named by the number of its first n-1 symbols' (n-1)-gram and its last symbol: one 64-bit key, whatever
/// n is. Only the references' n-grams are stored; one of the hypothesis whose beginning they lack cannot match. The
/// tables are kept from call to call and cleared by a generation count.
struct NgramMatcher {
    /// The longest n-gram that is looked at, at most 8.
    let order: Int

    private var keys: [UInt64] = []
    private var generations: [UInt32] = []
    private var names: [Int32] = []
    /// How often the n-gram of a slot is left in the references to be matched.
    private var left: [Int32] = []
    /// How often the n-gram of a slot was seen in a reference after the first, the one numbered in `places`.
    private var seen: [Int32] = []
    private var places: [Int32] = []
    private var generation: UInt32 = 0
    private var shift: UInt64 = 64

    init(order: Int) {
        self.order = order
        reserve(64)
    }

    mutating func matches(_ hypothesis: [Int32], _ references: [[Int32]]) -> SIMD8<Int32> {
        var matches = SIMD8<Int32>()
        reserve(2 * references.reduce(0) { $0 + $1.count })
        // The name of the shorter n-gram that starts at each position; the empty one is named 0, an unmatched one -1.
        var referenceNames = references.map { [Int32](repeating: 0, count: $0.count) }
        var hypothesisNames = [Int32](repeating: 0, count: hypothesis.count)
        for n in 1...order where n <= hypothesis.count {
            generation &+= 1
            var distinct: Int32 = 0
            for (place, reference) in references.enumerated() where n <= reference.count {
                enter(reference, Int32(place), &referenceNames[place], n, &distinct)
            }
            matches[n - 1] = match(hypothesis, &hypothesisNames, n)
        }
        return matches
    }

    /// Raises what is left of the reference's n-grams to their number in it. `distinct` n-grams have a name so far.
    private mutating func enter(
        _ reference: [Int32], _ place: Int32, _ prefixes: inout [Int32], _ n: Int, _ distinct: inout Int32
    ) {
        for start in 0...(reference.count - n) {
            let key = Self.key(prefixes[start], reference[start + n - 1])
            let slot = slot(of: key)
            if generations[slot] != generation {
                generations[slot] = generation
                keys[slot] = key
                names[slot] = distinct
                left[slot] = 0
                places[slot] = 0
                distinct += 1
            }
            if place == 0 {
                left[slot] += 1
            } else {
                if places[slot] != place { (places[slot], seen[slot]) = (place, 0) }
                seen[slot] += 1
                left[slot] = max(left[slot], seen[slot])
            }
            prefixes[start] = names[slot]
        }
    }

    private mutating func match(_ hypothesis: [Int32], _ prefixes: inout [Int32], _ n: Int) -> Int32 {
        var matched: Int32 = 0
        for start in 0...(hypothesis.count - n) where prefixes[start] >= 0 {
            let slot = slot(of: Self.key(prefixes[start], hypothesis[start + n - 1]))
            guard generations[slot] == generation else {
                prefixes[start] = -1
                continue
            }
            prefixes[start] = names[slot]
            if left[slot] > 0 {
                left[slot] -= 1
                matched += 1
            }
        }
        return matched
    }

    /// The slot that holds the key in this generation, or the free one where it belongs.
    private func slot(of key: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while generations[slot] == generation, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        return slot
    }

    private static func key(_ prefix: Int32, _ symbol: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: prefix)) << 32 | UInt64(UInt32(bitPattern: symbol))
    }

    /// Makes room for `entries` slots, a power of two.
    private mutating func reserve(_ entries: Int) {
        guard entries > keys.count else { return }
        while (UInt64(1) << (64 - shift)) < UInt64(entries) { shift -= 1 }
        let count = 1 << Int(64 - shift)
        keys = [UInt64](repeating: 0, count: count)
        generations = [UInt32](repeating: 0, count: count)
        names = [Int32](repeating: 0, count: count)
        left = [Int32](repeating: 0, count: count)
        seen = [Int32](repeating: 0, count: count)
        places = [Int32](repeating: 0, count: count)
        generation = 0
    }
}
