import Foundation
import Tensors
import Testing

@testable import Corpus

@Suite struct TextLinesTests {
    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]), ("a\n\nb", ["a", "", "b"]), ("a\r\nb\r\n", ["a", "b"]),
        // Neither a lone carriage return nor Unicode's own line ends part lines.
        ("a\rb\n", ["a\rb"]), ("a\u{2028}b\u{85}c\n", ["a\u{2028}b\u{85}c"]), ("\u{FEFF}a\n", ["a"]),
        ("é\u{301}\n", ["é\u{301}"]),
    ])
    func splits(_ text: String, _ lines: [String]) throws {
        #expect(try TextLines.split(Array(text.utf8), path: "x") == lines)
    }

    @Test(arguments: [
        (Array("ok\nb".utf8) + [0xE9] + Array("b\n".utf8), "x:2", "byte 0xE9 at column 2"),
        (Array("ok\r\nok\r\n".utf8) + [0xC0, 0x80], "x:3", "byte 0xC0 at column 1"),
        (Array("é".utf8) + [0xED, 0xA0, 0x80, 0x0A], "x:1", "byte 0xED at column 3"),
        (Array("a\nab".utf8) + [0xE2, 0x82], "x:2", "byte 0xE2 at column 3"),
    ])
    func namesTheLineThatIsNotUTF8(_ bytes: [UInt8], _ place: String, _ found: String) {
        let error = #expect(throws: DataError.self) { try TextLines.split(bytes, path: "x") }
        #expect(error?.path == place)
        #expect(error?.found == found)
        #expect(error?.exitCode == 65)
    }
}

@Suite struct ParallelTextTests {
    @Test func readsAlignedFiles() throws {
        try Fixtures.withFolder { folder in
            let text = try Fixtures.pair(
                Fixtures.write("A dog.\r\n Two \n", folder, "en"), Fixtures.write("Ein Hund.\nZwei", folder, "de"))
            #expect(text.source == ["A dog.", "Two"])
            #expect(text.target == ["Ein Hund.", "Zwei"])
        }
    }

    @Test func refusesUnequalFiles() throws {
        try Fixtures.withFolder { folder in
            let en = try Fixtures.write("a\nb\nc\n", folder, "en")
            let de = try Fixtures.write("a\nb\n", folder, "de")
            for (source, target) in [(en, de), (de, en)] {
                let error = #expect(throws: DataError.self) { try Fixtures.pair(source, target) }
                #expect(error?.path == "\(de):3")
                #expect(error?.expected == "3 lines, as in \(en)")
            }
        }
    }

    @Test func aMissingFileHasItsOwnExitCode() {
        let error = #expect(throws: DataError.self) { try Fixtures.pair("/nowhere/en", "/nowhere/de") }
        #expect(error?.path == "/nowhere/en")
        #expect(error?.exitCode == 66)
    }

    @Test func readsColumns() throws {
        try Fixtures.withFolder { folder in
            let path = try Fixtures.write("Go.\tVa !\tCC-BY\r\nHi.\tSalut !\tCC-BY\n", folder, "pairs.tsv")
            let text = try ParallelText(tsv: Fixtures.open(path))
            #expect(text.source == ["Go.", "Hi."])
            #expect(text.target == ["Va !", "Salut !"])
            #expect(try ParallelText(tsv: Fixtures.open(path), sourceColumn: 1, targetColumn: 0) == text.reversed)
        }
    }

    @Test func namesTheLineWithoutColumns() throws {
        try Fixtures.withFolder { folder in
            let path = try Fixtures.write("a\tb\nno tab\n", folder, "pairs.tsv")
            let error = #expect(throws: DataError.self) { try ParallelText(tsv: Fixtures.open(path)) }
            #expect(error?.path == "\(path):2")
        }
    }
}
