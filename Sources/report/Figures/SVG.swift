import Foundation

/// A drawing of gnuplot's made fit for a page: black follows the text's colour, so that it can be read on white and on
/// black, and no two drawings on a page have an identifier in common.
struct SVG {
    /// To be put into HTML.
    let inline: String
    /// To be a file of its own, for any background.
    let file: String

    init(_ drawn: String, _ figure: Figure) {
        var text = drawn
        if let start = text.range(of: "<svg") { text.removeSubrange(..<start.lowerBound) }
        for (pattern, replacement) in [
            (#"<title>.*?</title>\s*"#, ""), (#"<desc>.*?</desc>\s*"#, ""),
            (#"(stroke|fill|color)\s*=\s*["']black["']"#, #"$1="currentColor""#),
            (#" color="currentColor""#, ""),
            (#"id\s*=\s*["']([^"']+)["']"#, "id=\"\(figure.name)-$1\""),
            (#"(xlink:)?href='#([^']+)'"#, "href=\"#\(figure.name)-$2\""),
            (#"url\(#([^)]+)\)"#, "url(#\(figure.name)-$1)"),
            (#"font-family="Helvetica""#, #"font-family="Helvetica, Arial, sans-serif""#),
            (#"<svg[^>]*>"#, Self.open(figure)),
            (#"\n\s*\n+"#, "\n"),
        ] {
            let expression = try! NSRegularExpression(pattern: pattern, options: [.dotMatchesLineSeparators])
            text = expression.stringByReplacingMatches(
                in: text, range: NSRange(text.startIndex..., in: text), withTemplate: replacement)
        }
        inline = text
        let colors = "<style>svg{color:#1b1f24}@media(prefers-color-scheme:dark){svg{color:#e6e6e6}}</style>"
        let end = text.firstIndex(of: ">").map { text.index(after: $0) } ?? text.startIndex
        file = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + text[..<end] + colors + text[end...]
    }

    private static func open(_ figure: Figure) -> String {
        let title = Self.escape(figure.title).replacingOccurrences(of: "$", with: "\\$")
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(figure.width) \(figure.height)\" role=\"img\" "
            + "aria-labelledby=\"\(figure.name)-title\"><title id=\"\(figure.name)-title\">\(title)</title>"
    }

    static func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: "\"", with: "&quot;")
    }
}
