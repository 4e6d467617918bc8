/// Text to words and punctuation, and back to the same text.
///
/// A word is a run of letters, digits and combining marks, with hyphens, apostrophes, points and commas inside it kept:
/// `isn't`, `grand-mère`, `3.5`. An apostrophe after one or two letters ends the word, as in French `l'` and `qu'`.
/// Every other character that is no space is a token by itself.
///
/// Where spaces go follows from two neighbouring tokens by rule (none before a full stop, none after an opening
/// bracket, none after a final apostrophe). Where the text does otherwise the second token says so: U+FFED before it
/// joins it to its neighbour, U+2581 parts it. So `join(split(text)) == text` for every text without those two
/// characters and with single spaces; ordinary text needs few marks.
enum WordTokens {
    private static let joined: Character = "\u{FFED}"
    private static let parted: Character = "\u{2581}"

    static func split(_ text: String) -> [String] {
        var tokens: [String] = []
        var previous: Substring?
        var end: String.Index?
        for word in words(text) {
            let hasSpace = end.map { $0 != word.startIndex } ?? false
            if let previous, hasSpace != expectsSpace(previous, word) {
                tokens.append(String(hasSpace ? parted : joined) + word)
            } else {
                tokens.append(String(word))
            }
            (previous, end) = (word, word.endIndex)
        }
        return tokens
    }

    static func join(_ tokens: [String]) -> String {
        var text = ""
        var previous: Substring?
        for token in tokens {
            let mark = token.count > 1 && (token.first == joined || token.first == parted) ? token.first : nil
            let word = mark == nil ? token[...] : token.dropFirst()
            if let previous, mark == parted || (mark == nil && expectsSpace(previous, word)) { text += " " }
            text += word
            previous = word
        }
        return text
    }

    private static func expectsSpace(_ left: Substring, _ right: Substring) -> Bool {
        let closing: Set<Character> = [".", ",", ";", ":", "!", "?", ")", "]", "}", "%", "…", "”", "“", "»"]
        let opening: Set<Character> = ["(", "[", "{", "„", "«", "¿", "¡"]
        if right.count == 1, closing.contains(right.first!) { return false }
        if left.count == 1, opening.contains(left.first!) { return false }
        return !(left.count > 1 && isApostrophe(left.last!))
    }

    private static func words(_ text: String) -> [Substring] {
        var words: [Substring] = []
        var position = text.startIndex
        while position < text.endIndex {
            // a mark behind a space is one character with it, and no space
            if text[position].unicodeScalars.allSatisfy(\.properties.isWhitespace) {
                position = text.index(after: position); continue
            }
            let end = isWordCharacter(text[position]) ? endOfWord(text, from: position) : text.index(after: position)
            words.append(text[position..<end])
            position = end
        }
        return words
    }

    private static func endOfWord(_ text: String, from start: String.Index) -> String.Index {
        var end = start
        var length = 0
        while end < text.endIndex {
            let next = text.index(after: end)
            if isWordCharacter(text[end]) {
                length += 1
            } else if isApostrophe(text[end]), length <= 2, next < text.endIndex, isWordCharacter(text[next]) {
                return next
            } else if !("-.,'’".contains(text[end]) && next < text.endIndex && isWordCharacter(text[next])) {
                return end
            }
            end = next
        }
        return end
    }

    private static func isWordCharacter(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
    private static func isApostrophe(_ character: Character) -> Bool { character == "'" || character == "’" }
}
