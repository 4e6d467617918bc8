import Foundation
import Testing

@testable import Scoring

@Suite struct TextTests {
    @Test func tokensOfThousandsOfOddLines() {
        #expect(Golden.strings.count > 2_200)
        for (index, line) in Golden.strings.enumerated() {
            expectSame(tokens(line[0], .mteval13a), line[1], "line \(index) \(line[0].debugDescription)")
        }
    }

    @Test(arguments: zip([BLEU.Tokenizer.char, .intl, .zh], [1, 2, 3]))
    func tokensOfAnyScript(tokenizer: BLEU.Tokenizer, column: Int) {
        #expect(Golden.tokens.count > 500)
        for (index, line) in Golden.tokens.enumerated() {
            expectSame(tokens(line[0], tokenizer), line[column], "line \(index) \(line[0].debugDescription)")
        }
    }

    /// Of the characters that this version of Swift knows: Python's `regex` may know a later Unicode.
    @Test func kindsOfCharactersArePythons() {
        let numbers = Golden.characters("N"), punctuation = Golden.characters("P"), symbols = Golden.characters("S")
        let chinese = Golden.characters("zh")
        for scalar in (UInt32(0)...0x10FFFF).lazy.compactMap(Unicode.Scalar.init) {
            if TokenizerZh.isChinese(scalar) != chinese.contains(scalar.value) { Issue.record("zh: \(scalar.value)") }
            guard scalar.properties.age != nil else { continue }
            let expected: TokenizerIntl.Kind =
                numbers.contains(scalar.value)
                ? .number
                : punctuation.contains(scalar.value)
                    ? .punctuation : symbols.contains(scalar.value) ? .symbol : .other
            if TokenizerIntl.Kind(of: scalar) != expected {
                Issue.record("U+\(String(scalar.value, radix: 16)) is \(expected) in Python")
            }
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
        let lines = try SegmentLines.split(content, path: "x")
        #expect(
            lines.map { Array($0.utf8) }
                == ["a", "b\u{2028}c", "", "\u{FEFF}d\u{85}e", "", "last"].map { Array($0.utf8) })
        #expect(try SegmentLines.split(Data("a\n\n".utf8), path: "x") == ["a", ""])
        #expect(try SegmentLines.split(Data(), path: "x") == [])
    }

    @Test func unreadableTextsAreNamed() {
        #expect(throws: ScoringError.notUTF8(path: "x", line: 2)) {
            try SegmentLines.split(Data([0x61, 0x0A, 0xFF]), path: "x")
        }
    }
}
