/// Text as Python's `str` sees it, on UTF-8 bytes.
///
/// The published scores come from a Python program, so what separates words is what `str.split()` takes for white
/// space, and lower case is what `str.lower()` makes. Both differ from Swift's `Character` view, in which "e" followed
/// by a combining accent equals "é"; here two texts are equal when their bytes are.
enum PythonText {
    /// The number of bytes of the white space that starts at `index`; 0 when none does.
    ///
    /// White space is U+0009-000D, U+001C-0020, U+0085, U+00A0, U+1680, U+2000-200A, U+2028, U+2029, U+202F, U+205F,
    /// U+3000.
    static func whitespaceLength(_ bytes: [UInt8], at index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 {
            return first == 0x20 || (0x09...0x0D).contains(first) || (0x1C...0x1F).contains(first) ? 1 : 0
        }
        // A lead byte is always followed by its continuation bytes: the bytes come from a valid string.
        switch first {
        case 0xC2:
            return bytes[index + 1] == 0x85 || bytes[index + 1] == 0xA0 ? 2 : 0
        case 0xE1:
            return bytes[index + 1] == 0x9A && bytes[index + 2] == 0x80 ? 3 : 0
        case 0xE2:
            let (second, third) = (bytes[index + 1], bytes[index + 2])
            if second == 0x80 { return third <= 0x8A || third == 0xA8 || third == 0xA9 || third == 0xAF ? 3 : 0 }
            return second == 0x81 && third == 0x9F ? 3 : 0
        case 0xE3:
            return bytes[index + 1] == 0x80 && bytes[index + 2] == 0x80 ? 3 : 0
        default:
            return 0
        }
    }

    /// Calls `body` with the byte range of every word, as `str.split()` finds them.
    static func forEachWord(in bytes: [UInt8], _ body: (Range<Int>) -> Void) {
        var start = 0
        var index = 0
        while index < bytes.count {
            let space = whitespaceLength(bytes, at: index)
            if space == 0 {
                index &+= 1
                continue
            }
            if start < index { body(start..<index) }
            index &+= space
            start = index
        }
        if start < bytes.count { body(start..<bytes.count) }
    }

    /// `str.rstrip()`: removes white space from the end.
    static func stripEnd(_ bytes: inout [UInt8]) {
        while let last = bytes.indices.last {
            // The last scalar begins at the last byte that is not a continuation byte (10xxxxxx).
            var lead = last
            while lead > 0, bytes[lead] & 0xC0 == 0x80 { lead &-= 1 }
            guard whitespaceLength(bytes, at: lead) > 0 else { return }
            bytes.removeLast(bytes.count - lead)
        }
    }

    /// `str.lstrip()`: removes white space from the start.
    static func stripStart(_ bytes: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let space = whitespaceLength(bytes, at: index)
            if space == 0 { break }
            index &+= space
        }
        bytes.removeFirst(index)
    }

    /// `str.replace(pattern, replacement)`: left to right, without overlap.
    static func replace(_ pattern: StaticString, with replacement: StaticString, in bytes: inout [UInt8]) {
        let pattern = Array(pattern.description.utf8)
        let replacement = Array(replacement.description.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == pattern[0], bytes[index...].starts(with: pattern) {
                result += replacement
                index += pattern.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        bytes = result
    }

    /// `str.lower()`: full case mapping, with a capital sigma at the end of a word becoming the final form.
    ///
    /// Source: The Unicode Standard, section 3.13, Default Case Conversion, and the context Final_Sigma of its table
    /// 3-17.
    static func lowercased(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            if scalar.isASCII {
                // Most text is ASCII, and its case needs no table.
                let capital = ("A"..."Z").contains(scalar)
                result.append(capital ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
            } else if scalar == "\u{3A3}" {
                result.append(isFinalSigma(scalars, at: index) ? "\u{3C2}" : "\u{3C3}")
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(result)
    }

    /// A cased letter comes before and none comes after, case-ignorable characters aside.
    private static func isFinalSigma(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
