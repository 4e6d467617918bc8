/// Words in a row, put together into a sentence.
struct Words {
    private(set) var list: [String] = []

    static func += (words: inout Words, word: String) {
        words.list += word.split(separator: " ").map(String.init)
    }

    static func += (words: inout Words, other: Words) { words.list += other.list }

    static func + (words: Words, other: Words) -> Words {
        var words = words
        words += other
        return words
    }

    init(_ text: String = "") { self += text }

    mutating func replace(_ body: ([String]) -> [String]) { list = body(list) }

    /// First letter in upper case; commas join the word before them and give way to whatever ends the sentence.
    func sentence(ending: String) -> String {
        var text = ""
        for (index, word) in list.enumerated() {
            if word == "," {
                if index + 1 < list.count, list[index + 1] != "," { text += "," }
            } else {
                text += text.isEmpty || text.last == "'" ? word : " " + word
            }
        }
        return text.prefix(1).uppercased() + text.dropFirst() + ending
    }
}
