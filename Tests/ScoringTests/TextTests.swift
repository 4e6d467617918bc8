import Foundation
import Testing

@testable import Scoring

@Suite struct TextTests {
    @Test func tokensOfThousandsOfOddLines() {
        let tokenize = Tokenizer13a()
        #expect(Golden.strings.count > 2_200)
        for (index, line) in Golden.strings.enumerated() {
            var bytes = Array(line[0].utf8)
            PythonText.stripEnd(&bytes)
            expectSame(
                tokenize(String(decoding: bytes, as: UTF8.self)), line[1], "line \(index) \(line[0].debugDescription)")
        }
    }

    @Test func lowerCaseIsPythons() {
        for line in Golden.strings { expectSame(PythonText.lowercased(line[0]), line[2], line[0].debugDescription) }
    }

    @Test func whiteSpaceIsPythons() {
        let spaces = Set<UInt32>(
            [
                0x09...0x0D as ClosedRange<UInt32>, 0x1C...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680,
                0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
                0x205F...0x205F, 0x3000...0x3000,
            ].joined())
        for scalar in (UInt32(0)...0x10FFFF).lazy.compactMap(Unicode.Scalar.init) {
            let bytes = Array(UTF8.encode(scalar)!)
            let expected = spaces.contains(scalar.value) ? bytes.count : 0
            if PythonText.whitespaceLength(bytes, at: 0) != expected {
                Issue.record("U+\(String(scalar.value, radix: 16))")
            }
        }
    }

    @Test func linesEndAtLineFeedsOnly() throws {
        let content = Data("a\r\nb\u{2028}c \u{A0}\n\n\u{FEFF}d\u{85}e\u{1C}\n\t\nlast".utf8)
        let lines = try TextLines.split(content, path: "x")
        #expect(
            lines.map { Array($0.utf8) }
                == ["a", "b\u{2028}c", "", "\u{FEFF}d\u{85}e", "", "last"].map { Array($0.utf8) })
        #expect(try TextLines.split(Data("a\n\n".utf8), path: "x") == ["a", ""])
        #expect(try TextLines.split(Data(), path: "x") == [])
    }

    @Test func unreadableTextsAreNamed() {
        #expect(throws: ScoringError.notUTF8(path: "x", line: 2)) {
            try TextLines.split(Data([0x61, 0x0A, 0xFF]), path: "x")
        }
    }
}
