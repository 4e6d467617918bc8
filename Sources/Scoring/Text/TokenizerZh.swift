/// The tokenisation for Chinese: every Chinese character is a token; what is between them is cut as by `Tokenizer13a`,
/// without its markup and entities and without its spaces at both ends.
///
/// Source: Shujian Huang's tokeniser for WMT 2017 in sacreBLEU, with its ranges as they work there. Two that were meant
/// for the supplementary planes, written `\u20000`-`\u2a6d6` and `\u2f800`-`\u2fa1d`, mean U+2001-2A6D and
/// U+2F81-2FA1 in Python: typographic quotes, dashes and many symbols are tokens of their own, and the rarest Chinese
/// characters are not.
enum TokenizerZh {
    /// The line with white space around every token.
    static func spaced(_ line: [UInt8]) -> [UInt8] {
        var line = line
        PythonText.stripStart(&line)
        var result: [UInt8] = []
        result.reserveCapacity(2 * line.count)
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            let bytes = UTF8.encode(scalar)!
            if isChinese(scalar) {
                result.append(UInt8(ascii: " "))
                result += bytes
                result.append(UInt8(ascii: " "))
            } else {
                result += bytes
            }
        }
        return Tokenizer13a.separatingPunctuation(result)
    }

    static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Punctuation and symbols, radicals, strokes, phonetic signs, enclosed and square characters.
        case 0x2001...0x2A6D, 0x2E80...0x2EFF, 0x2F00...0x2FDF, 0x2FF0...0x303F, 0x3100...0x312F, 0x31A0...0x31BF,
            0x31C0...0x31EF, 0x3200...0x33FF:
            true
        // Ideographs, and those for compatibility.
        case 0x3400...0x4DB5, 0x4E00...0x9FBB, 0xF900...0xFA2D, 0xFA30...0xFA6A, 0xFA70...0xFAD9: true
        // Vertical, compatibility and full-width forms.
        case 0xFE10...0xFE1F, 0xFE30...0xFE4F, 0xFF00...0xFFEF: true
        default: false
        }
    }
}
