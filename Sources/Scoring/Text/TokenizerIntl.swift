/// The international tokenisation of `mteval-v14`, for text in any script:
///
///     X P     with P punctuation and X anything but a number     -> "X P "
///     P X     likewise                                           -> " P X"
///     S       a symbol                                           -> " S "
///
/// each over the whole result of the one before, left to right and without overlap. Words are what white space
/// separates. A full stop behind a number at the end of the line therefore stays with the number, as in the original.
///
/// Numbers, punctuation and symbols are Unicode's general categories N, P and S, in the version of Swift's standard
/// library (17 in Swift 6.3). sacreBLEU takes them from the Python package `regex`; the two can differ only in
/// characters that are new in the later of their versions.
///
/// Source: NIST `mteval-v14.pl`, function `tokenization_international`, without its entities, as sacreBLEU has it.
enum TokenizerIntl {
    /// The line with white space around every token.
    static func spaced(_ line: [UInt8]) -> [UInt8] {
        let space = ClassifiedScalar(" ")
        var scalars = String(decoding: line, as: UTF8.self).unicodeScalars.map { ClassifiedScalar($0) }
        scalars = scalars.separatingPairs(by: space, .behind, first: \.isNoNumber, second: \.isPunctuation)
        scalars = scalars.separatingPairs(by: space, .before, first: \.isPunctuation, second: \.isNoNumber)
        var result = String.UnicodeScalarView()
        for item in scalars {
            if item.kind == .symbol { result.append(space.scalar) }
            result.append(item.scalar)
            if item.kind == .symbol { result.append(space.scalar) }
        }
        return Array(String(result).utf8)
    }

    /// What the patterns tell apart.
    enum Kind {
        case number
        case punctuation
        case symbol
        case other

        init(of scalar: Unicode.Scalar) {
            self =
                switch scalar.properties.generalCategory {
                case .decimalNumber, .letterNumber, .otherNumber: .number
                case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                    .finalPunctuation, .otherPunctuation:
                    .punctuation
                case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: .symbol
                default: .other
                }
        }
    }

    private struct ClassifiedScalar {
        let scalar: Unicode.Scalar
        let kind: Kind

        init(_ scalar: Unicode.Scalar) {
            self.scalar = scalar
            kind = Kind(of: scalar)
        }

        var isNoNumber: Bool { kind != .number }
        var isPunctuation: Bool { kind == .punctuation }
    }
}
