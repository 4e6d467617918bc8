import Foundation
import Tensors
import Testing

@testable import Corpus

@Suite struct InputTests {
    /// Every document that is read, of any kind, is on the account with its hash.
    @Test func whatIsReadIsHashed() throws {
        try Fixtures.withFolder { folder in
            let text = try Fixtures.write("a\tb\n", folder, "pairs.tsv")
            let files = InputFiles()
            _ = try ParallelText(tsv: files.open("table", text))
            _ = try Phrasebook(folder: PhrasebookTests.folder, through: files)
            let talks = folder + "/talks/en-de"
            try FileSystem.makeFolder(talks)
            for side in ["en", "de"] {
                _ = try Fixtures.write("x\n", talks, "train.tags.en-de.\(side)")
                _ = try Fixtures.write("rubbish", talks, "._train.tags.en-de.\(side)")
            }
            _ = try IWSLTCorpus(archives: [folder + "/talks"], through: files).train(source: "en", target: "de")
            let tables = ["nouns", "adjectives", "verbs", "times", "prepositions", "conjunctions", "grammar"]
            let hashes =
                [FileSystem.sha256(Data("a\tb\n".utf8))]
                + (try tables.map { try FileSystem.sha256(of: PhrasebookTests.folder + "/\($0).tsv") })
                + [String](repeating: FileSystem.sha256(Data("x\n".utf8)), count: 2)
            #expect(files.all.map(\.sha256) == hashes)
            #expect(
                files.all.map(\.role) == [
                    "table", "phrasebook nouns.tsv", "phrasebook adjectives.tsv", "phrasebook verbs.tsv",
                    "phrasebook times.tsv",
                    "phrasebook prepositions.tsv", "phrasebook conjunctions.tsv", "phrasebook grammar.tsv",
                    "archive 1/en-de/train.tags.en-de.de", "archive 1/en-de/train.tags.en-de.en",
                ])
        }
    }

    @Test func aPipeIsReadOnceAndWhole() throws {
        let pipe = Pipe()
        let text = String(repeating: "one line\n", count: 40_000)
        Thread {
            try? pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            try? pipe.fileHandleForWriting.close()
        }.start()
        let file = try Fixtures.open("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(try file.lines.count == 40_000)
        #expect(try file.lines.count == 40_000)
        #expect(file.sha256 == FileSystem.sha256(Data(text.utf8)))
    }

    @Test(arguments: [
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 1], "xz data", "xz -dc"),
        ([0x28, 0xB5, 0x2F, 0xFD, 1], "Zstandard data", "zstd -dc"),
        (Array("BZh91AY&SY".utf8), "bzip2 data", "bzip2 -dc"),
        ([0xFF, 0xFE, 0x61, 0], "UTF-16 data", "iconv -f UTF-16 "),
        ([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0], "UTF-32 data", "iconv -f UTF-32 "),
        (Array("PK\u{3}\u{4}".utf8), "zip data", "unpack it"),
        ([0x61, 0, 0x0A, 0], "a NUL byte", "UTF-16"),
    ])
    func whatIsNoTextIsNamed(_ bytes: [UInt8], _ found: String, _ hint: String) {
        let error = #expect(throws: DataError.self) { try TextLines.split(bytes, path: "x") }
        #expect(error?.found == found)
        #expect(error?.hint?.contains(hint) == true)
    }

    /// A command cannot name standard input or what lies in an archive.
    @Test func hintsNameFilesThatAreThere() throws {
        #expect(FileFormat.xz.hint("standard input") == "unpack it: xz -dc FILE")
        try Fixtures.withFolder { folder in
            let path = folder + "/a.xz"
            try Data().write(to: URL(fileURLWithPath: path))
            #expect(FileFormat.xz.hint(path) == "unpack it: xz -dc \(path)")
        }
    }

    /// What would mean something in a file of somebody else's.
    @Test func whatAStageWroteIsReadAsItIs() throws {
        let lines = ["\u{FEFF}%PDF-1", "", "a\r", "\u{2028}b"]
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        #expect(try TextLines.written(bytes, path: "x").map { Array($0.utf8) } == lines.map { Array($0.utf8) })
        #expect(throws: DataError.self) { try TextLines.written([0x61, 0x0A, 0xFF, 0x0A], path: "x") }
    }

    @Test func textMayBeginLikeAName() throws {
        #expect(try TextLines.split(Array("BZh is a word\n".utf8), path: "x") == ["BZh is a word"])
    }

    /// zipfile with `ZIP64_LIMIT = 1`, of `s.tsv`, "a\tb\n" deflated.
    @Test(.enabled(if: FileSystem.exists("/usr/bin/python3"))) func readsZip64() throws {
        try Fixtures.withFolder { folder in
            let script = """
                import zipfile
                zipfile.ZIP64_LIMIT = 1
                with zipfile.ZipFile('\(folder)/z.zip', 'w', zipfile.ZIP_DEFLATED) as f: f.writestr('s.tsv', 'a\\tb\\n' * 9)
                """
            let python = Process()
            python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            python.arguments = ["-c", script]
            try python.run()
            python.waitUntilExit()
            #expect(try ParallelText(tsv: Fixtures.open(folder + "/z.zip")).source == Array(repeating: "a", count: 9))
        }
    }
}

@Suite struct SegmentReaderTests {
    private func read(_ text: String) throws -> SegmentReader { try SegmentReader(Array(text.utf8)[...], path: "x") }

    @Test(arguments: [
        ("<doc docid='7'><seg id='1'>a</seg> <seg id=\"2\">b</seg></doc>", ["7/1 a", "7/2 b"], 0),
        ("<DOC DOCID=\"7\">\n<TITLE>T</TITLE>\n<SEG ID=\"1\"> a </SEG>\n</DOC>", ["7/1 a"], 1),
        ("<doc docid=\"7\"><seg id=\"1\">a <b>bold</b> word</seg></doc>", ["7/1 a bold word"], 0),
        ("<doc docid=\"7\"><seg id=\"1\">a\n   b &amp; &#233;&lt;</seg></doc>", ["7/1 a b & é<"], 0),
        (
            "<m><doc docid=\"1\"><seg id=\"1\">a</seg></doc><doc docid=\"2\"><seg id=\"1\"></seg></doc></m>",
            ["1/1 a", "2/1 "], 1
        ),
    ])
    func reads(_ text: String, _ segments: [String], _ others: Int) throws {
        let reader = try read(text)
        #expect(reader.segments.map { "\($0.key) \($0.text)" } == segments)
        #expect(reader.others == others)
    }

    @Test(arguments: [
        ("<doc docid=\"1\">\n<seg>a</seg></doc>", "x:2", "a segment without id"),
        ("<doc docid=\"1\"><seg id=\"1\">a</seg>\n<seg id=\"3\">b</seg></doc>", "x:2", "segment 3"),
        ("<doc docid=\"1\"><seg id=\"1\">a<seg id=\"2\">b</seg></seg></doc>", "x:1", "a segment within a segment"),
        ("<doc docid=\"1\">\n<seg id=\"1\">R&D</seg></doc>", "x:2", "not well-formed (invalid token)"),
        ("<doc docid=\"1\"><seg id=\"1\">a</seg>", "x:1", "no element found"), ("<doc docid=\"1\"></doc>", "x", "none"),
        ("", "x:1", "no element found"),
    ])
    func refuses(_ text: String, _ place: String, _ found: String) {
        let error = #expect(throws: DataError.self) { try read(text) }
        #expect(error?.path == place)
        #expect(error?.found == found)
    }

    @Test func linesThatAreNoSentencesAreCounted() throws {
        try Fixtures.withFolder { folder in
            _ = try Fixtures.write(
                "<url>http://x</url>\n<title>T</title>\nEins\n</doc>\n", folder, "train.tags.de-en.de")
            _ = try Fixtures.write("<URL>http://x</URL>\nOne\n", folder, "train.tags.de-en.en")
            let text = try IWSLTCorpus(archives: [folder], through: InputFiles()).train(source: "en", target: "de")
            #expect(text.skipped == ["source markup": 1, "target markup": 3])
            #expect(text.reversed.skipped == ["source markup": 3, "target markup": 1])
            let splits = try HeldOutSplit(valid: 0, test: 0, seed: 1).apply(to: text, name: "x")
            #expect(splits[.train]?.skipped == text.skipped)
        }
    }
}
