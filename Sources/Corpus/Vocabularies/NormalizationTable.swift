/// What a `.model` file of SentencePiece says of normalization, looked through before the library follows it, which
/// takes every number there for a place to read at.
///
/// A table is a trie of the strings that are replaced, in one array (Darts-clone), and behind it the replacements, each
/// with a zero at its end. A node's children lie at its base, exclusive-or their byte.
struct NormalizationTable {
    private let units: [UInt32]
    private let replacements: ArraySlice<UInt8>

    /// Why the tables of a model cannot be used; nil where they can.
    static func problem(_ model: [UInt8]) -> String? {
        guard let normalizers = fields([3, 5], of: model[...]) else { return "something unreadable" }
        for normalizer in normalizers {
            guard let tables = fields([2], of: normalizer) else { return "something unreadable" }
            for bytes in tables where !bytes.isEmpty {
                guard let table = NormalizationTable(bytes), table.isSound else {
                    return "a damaged table of normalization"
                }
            }
        }
        return nil
    }

    /// Four bytes with the size of the trie, the trie, the replacements; all numbers are little-endian.
    private init?(_ bytes: ArraySlice<UInt8>) {
        func number(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
        }
        guard bytes.count > 4 else { return nil }
        let start = bytes.startIndex + 4, size = Int(number(bytes.startIndex))
        guard size > 0, size % 4 == 0, size < bytes.count - 4 else { return nil }
        units = stride(from: start, to: start + size, by: 4).map(number)
        replacements = bytes[(start + size)...]
    }

    /// Most replaced strings of which one begins with the other, as many as the library has room for.
    private static let mostPrefixes = 32

    /// Whether no way through the trie leaves the array, has more replacements than there is room for, or one that is
    /// none.
    private var isSound: Bool {
        guard replacements.last == 0 else { return false }
        // with how many replacements at most each base is reached; several nodes may have one base
        var reached = [Int](repeating: -1, count: units.count), open = [(base: base(units[0], at: 0), prefixes: 0)]
        while let (base, prefixes) = open.popLast() {
            guard base | 0xFF < units.count, prefixes <= Self.mostPrefixes else { return false }
            guard prefixes > reached[base] else { continue }
            reached[base] = prefixes
            for byte in 0...0xFF {
                let unit = units[base ^ byte]
                guard unit & (1 << 31 | 0xFF) == UInt32(truncatingIfNeeded: byte) else { continue }
                let next = self.base(unit, at: base ^ byte), hasValue = unit >> 8 & 1 == 1
                if hasValue {
                    guard next < units.count, Int(units[next] & ~(1 << 31)) < replacements.count else { return false }
                }
                open.append((next, prefixes + (hasValue ? 1 : 0)))
            }
        }
        return true
    }

    private func base(_ unit: UInt32, at place: Int) -> Int { place ^ Int((unit >> 10) << ((unit >> 9 & 1) * 8)) }
}

extension NormalizationTable {
    /// Contents of the fields with these numbers in a message of Protocol Buffers; nil where it is none.
    private static func fields(_ numbers: Set<UInt64>, of message: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var rest = message, found: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            guard let key = variableLength(&rest) else { return nil }
            let length: Int
            switch key & 7 {
            case 0:
                guard variableLength(&rest) != nil else { return nil }
                length = 0
            case 1: length = 8
            case 2:
                guard let stated = variableLength(&rest) else { return nil }
                length = Int(clamping: stated)
            case 5: length = 4
            default: return nil
            }
            guard length <= rest.count else { return nil }
            if key & 7 == 2, numbers.contains(key >> 3) { found.append(rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
        return found
    }

    /// Seven bits a byte, the lowest first, while the eighth is set.
    private static func variableLength(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }
}
