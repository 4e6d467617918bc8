/// JSON as Python's `json.dumps` spells it: the reports must match character for character, key order and indentation
/// included.
enum PythonJSON {
    /// A quoted string; with `ascii`, everything beyond ASCII as `\u` and four hexadecimal digits, a UTF-16 unit each.
    static func string(_ text: String, ascii: Bool = false) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{C}": result += "\\f"
            case _ where scalar.value < 0x20 || (ascii && scalar.value > 0x7E):
                for unit in UTF16.encode(scalar)! { result += escape(unit) }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// An object of one member a line, indented by `indent` spaces.
    static func object(_ members: [(key: String, value: String)], indent: Int, ascii: Bool = false) -> String {
        let margin = String(repeating: " ", count: indent)
        let lines = members.map { "\(margin)\(string($0.key, ascii: ascii)): \($0.value)" }
        return "{\n" + lines.joined(separator: ",\n") + "\n}"
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
