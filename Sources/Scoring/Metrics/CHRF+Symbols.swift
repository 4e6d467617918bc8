extension CHRF {
    /// The Unicode scalars of a line without its white space.
    static func characters(_ line: [UInt8]) -> [Int32] {
        var scalars: [Int32] = []
        scalars.reserveCapacity(line.count)
        PythonText.forEachWord(in: line) { word in
            for byte in line[word] {
                // A continuation byte (10xxxxxx) adds six bits to the scalar that its lead byte opened.
                if byte & 0xC0 == 0x80 {
                    scalars[scalars.count - 1] = scalars[scalars.count - 1] << 6 | Int32(byte & 0x3F)
                } else {
                    scalars.append(
                        Int32(byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07))
                }
            }
        }
        return scalars
    }

    /// The words of a line as token numbers, one punctuation mark split off a word that ends or else begins with one.
    static func words(_ line: [UInt8], _ table: inout TokenTable) -> [Int32] {
        var numbers: [Int32] = []
        PythonText.forEachWord(in: line) { word in
            let (first, last) = (word.lowerBound, word.upperBound - 1)
            // A word of one scalar stays whole; one that is several bytes long and one scalar has no ASCII in it.
            if word.count > 1, isPunctuation(line[last]) {
                numbers.append(table.number(of: line, first..<last))
                numbers.append(table.number(of: line, last..<last + 1))
            } else if word.count > 1, isPunctuation(line[first]) {
                numbers.append(table.number(of: line, first..<first + 1))
                numbers.append(table.number(of: line, first + 1..<last + 1))
            } else {
                numbers.append(table.number(of: line, word))
            }
        }
        return numbers
    }

    /// The 32 punctuation marks of ASCII.
    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
