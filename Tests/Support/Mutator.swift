import Foundation
import Tensors

/// Damage of every kind, the same for the same name and seed.
public struct Mutator: RandomNumberGenerator {
    private var random: SplitMix64

    /// - Parameter name: of what is damaged (FNV-1a)
    public init(_ name: String, seed: UInt64) {
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        random = SplitMix64(seed: hash)
    }

    public mutating func next() -> UInt64 { random.next() }

    /// One to three damages: flipped bits, bytes with a meaning of their own, pieces cut off, taken out, doubled or
    /// overwritten, numbers that nobody expects, in binary and in text.
    public mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self) where !bytes.isEmpty { damage(&bytes) }
        return bytes
    }

    private static let odd: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2D, 0x39, 0x5B, 0x7B]
    private static let texts = [
        "-1", "0", "9223372036854775807", "9223372036854775808", "4294967296", "1e308", "1e999", "NaN", "null", "\"\"",
        "[]",
    ]

    private mutating func damage(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0..<bytes.count, using: &self)
        let length = Int.random(in: 1...max(1, min(16, bytes.count - place)), using: &self)
        switch Int.random(in: 0..<9, using: &self) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes[place] = Self.odd.randomElement(using: &self)!
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 5: for i in place..<place + length { bytes[i] = 0xFF }
        case 6: for i in place..<place + length { bytes[i] = UInt8.random(in: 0...255, using: &self) }
        case 7: overwriteNumber(&bytes, at: place)
        default: overwriteDigits(&bytes, from: place)
        }
    }

    /// Four or eight bytes, little-endian.
    private mutating func overwriteNumber(_ bytes: inout [UInt8], at place: Int) {
        let extremes: [UInt64] = [0, 1, .max, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 0x7FC0_0000, 0x7C00]
        let value = extremes.randomElement(using: &self)!
        for i in 0..<(Bool.random(using: &self) ? 8 : 4) where place + i < bytes.count {
            bytes[place + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))
        }
    }

    /// The next number in text becomes another one.
    private mutating func overwriteDigits(_ bytes: inout [UInt8], from place: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array(Self.texts.randomElement(using: &self)!.utf8))
    }
}

/// Reads damaged files and sees what comes of it: they are read or refused, never a crash, and what is refused
/// is refused by one of our own errors.
public enum Mutations {
    /// Changes the lowest bit of one byte of a file.
    public static func flipBit(of path: String, at place: Int) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(place))
        let byte = try file.read(upToCount: 1)!.first!
        try file.seek(toOffset: UInt64(place))
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
    }

    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// `MUTATIONS`: how many of each kind of file are tried.
    public static let rounds = number("MUTATIONS") ?? 1500
    /// `MUTATION_SEED`: other ones.
    public static let seed = UInt64(number("MUTATION_SEED") ?? 1)

    public struct Outcome {
        public var refused = 0
        public var rounds = 0
        /// What was not as it should be, in a line each.
        public var problems: [String] = []
    }

    /// - Parameters:
    ///   - every: one in so many rounds is tried, for what takes its time
    ///   - accepts: whether an error is one that a user can do with
    public static func outcome(
        _ name: String, _ bytes: [UInt8], every: Int = 1, accepts: (Error) -> Bool, _ read: ([UInt8]) throws -> Void
    ) -> Outcome {
        var random = Mutator(name, seed: seed), outcome = Outcome()
        do { try read(bytes) } catch { outcome.problems.append("\(name), whole: \(error)") }
        outcome.rounds = max(1, rounds / every)
        for round in 0..<outcome.rounds {
            do {
                try read(random.damaged(bytes))
            } catch  where accepts(error) {
                outcome.refused += 1
                if "\(error)".count >= 1700 || "\(error)".contains(where: \.isNewline) {
                    outcome.problems.append("\(name), round \(round): a message of \("\(error)".count) characters")
                }
            } catch {
                outcome.problems.append("\(name), round \(round): \(error)")
            }
        }
        print("mutations: \(outcome.rounds) of \(name), \(outcome.refused) refused")
        return outcome
    }
}
