extension BLEU {
    /// How a line is cut into tokens, by the names of sacreBLEU's `--tokenize`.
    package enum Tokenizer: String, CaseIterable, Sendable {
        /// See `Tokenizer13a`.
        case mteval13a = "13a"
        /// The text is tokenised already: words are what white space separates.
        case none
        /// Every character that is no white space is a token.
        case char
        /// See `TokenizerIntl`.
        case intl
        /// See `TokenizerZh`.
        case zh

        /// The line, in UTF-8 and without white space at its end, with white space around every token.
        func spaced(_ line: [UInt8]) -> [UInt8] {
            switch self {
            case .mteval13a: Tokenizer13a.spaced(line)
            case .none: line
            case .char: Self.spacedCharacters(line)
            case .intl: TokenizerIntl.spaced(line)
            case .zh: TokenizerZh.spaced(line)
            }
        }

        private static func spacedCharacters(_ line: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            result.reserveCapacity(2 * line.count)
            for byte in line {
                // All but continuation bytes (10xxxxxx) begin a character.
                if byte & 0xC0 != 0x80 { result.append(UInt8(ascii: " ")) }
                result.append(byte)
            }
            return result
        }
    }
}
