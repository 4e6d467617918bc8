/// Gives every distinct token a small number, so that n-grams are compared as integers and never as strings.
///
/// An open-addressing hash table over one arena of bytes. Swift's own `String` keys would not do: they compare by
/// canonical equivalence, the metrics by bytes.
struct TokenTable {
    private var arena: [UInt8] = []
    /// Token i is `arena[starts[i]..<starts[i + 1]]`.
    private var starts = [0]
    private var hashes: [UInt64] = []
    /// A token's number, or -1 for a free slot; the count is a power of two, at most half of it taken.
    private var slots = [Int32](repeating: -1, count: 1 << 12)

    var count: Int { hashes.count }

    /// The number of the token `bytes[range]`: its order of first appearance.
    mutating func number(of bytes: [UInt8], _ range: Range<Int>) -> Int32 {
        let hash = Self.hash(bytes, range)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            if matches(Int(slots[slot]), hash, bytes, range) { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(count)
        hashes.append(hash)
        arena += bytes[range]
        starts.append(arena.count)
        if 2 * count > slots.count { grow() }
        return Int32(count - 1)
    }

    private func matches(_ token: Int, _ hash: UInt64, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard hashes[token] == hash, starts[token + 1] - starts[token] == range.count else { return false }
        for offset in 0..<range.count where arena[starts[token] + offset] != bytes[range.lowerBound + offset] {
            return false
        }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: 2 * slots.count)
        for (token, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(token)
        }
    }

    /// FNV-1a of 64 bits, its high half folded into the low bits that choose the slot.
    private static func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
