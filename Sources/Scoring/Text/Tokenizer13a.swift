/// The tokenisation of `mteval-v13a`, the NIST script with which WMT results are published.
///
/// In order: `<skipped>` is removed, a line break after a hyphen is joined, other line breaks become spaces, four
/// entities are resolved, a space is put at both ends; then
///
///     {|}~ [\]^_` !"#$%& ()*+ :;<=>?@ / and the space     -> a space on both sides
///     X. X,   with X anything but a digit                 -> "X . "
///     .X ,X   with X anything but a digit                 -> " . X"
///     D-      with D a digit                              -> "D - "
///
/// each over the whole result of the one before, left to right and without overlap. Words are what white space
/// separates. All patterns are ASCII, and a byte of a longer scalar is neither a digit nor punctuation, so UTF-8 can be
/// treated byte by byte with the same result.
///
/// Source: NIST `mteval-v13a.pl`, function `tokenization`; Post 2018, "A Call for Clarity in Reporting BLEU Scores".
enum Tokenizer13a {
    /// The line with white space around every token.
    static func spaced(_ line: [UInt8]) -> [UInt8] {
        var bytes = resolved(line)
        bytes.insert(space, at: 0)
        bytes.append(space)
        return separatingPunctuation(bytes)
    }

    /// The patterns alone, which other tokenisations end with too.
    static func separatingPunctuation(_ bytes: [UInt8]) -> [UInt8] {
        separatingSymbols(bytes)
            .separatingPairs(by: space, .behind, first: { !isDigit($0) }, second: isStop)
            .separatingPairs(by: space, .before, first: isStop, second: { !isDigit($0) })
            .separatingPairs(by: space, .behind, first: isDigit, second: { $0 == UInt8(ascii: "-") })
    }

    private static let space = UInt8(ascii: " ")

    /// Markup, line breaks and entities, one after the other: `&amp;lt;` ends as `<`.
    private static func resolved(_ line: [UInt8]) -> [UInt8] {
        var bytes = line
        if bytes.contains(UInt8(ascii: "<")) { PythonText.replace("<skipped>", with: "", in: &bytes) }
        if bytes.contains(UInt8(ascii: "\n")) {
            PythonText.replace("-\n", with: "", in: &bytes)
            PythonText.replace("\n", with: " ", in: &bytes)
        }
        if bytes.contains(UInt8(ascii: "&")) {
            PythonText.replace("&quot;", with: "\"", in: &bytes)
            PythonText.replace("&amp;", with: "&", in: &bytes)
            PythonText.replace("&lt;", with: "<", in: &bytes)
            PythonText.replace("&gt;", with: ">", in: &bytes)
        }
        return bytes
    }

    private static func separatingSymbols(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            if isSymbol(byte) {
                result.append(space)
                result.append(byte)
                result.append(space)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}

@inline(__always)
private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

@inline(__always)
private func isStop(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",") }

/// ASCII punctuation and the space, without the apostrophe, the comma, the hyphen and the full stop.
@inline(__always)
private func isSymbol(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20...0x26, 0x28...0x2B, 0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
}
