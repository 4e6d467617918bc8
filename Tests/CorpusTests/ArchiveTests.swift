import Foundation
import Tensors
import Testing

@testable import Corpus

/// Archives made with Python's gzip, zipfile and tarfile (see beside each), damaged here in all the ways that matter.
@Suite struct ArchiveTests {
    /// gzip.compress(b"one\ntwo\n", mtime=0)
    static let gzip = bytes("H4sIAAAAAAACA8vPS+UqKc/nAgDmC7oSCAAAAA==")
    /// zipfile with `_about.txt` (stored, "x") and `fra.txt` (deflated, "Go.\tVa !\nRun!\tCours !\n" three times).
    static let zip = bytes(
        "UEsDBBQAAAAAAAAAIVCDFtyMAQAAAAEAAAAKAAAAX2Fib3V0LnR4dHhQSwMEFAAAAAgAAAAhUK7EGaoaAAAAQgAAAAcAAABmcmEudHh0c8/X4wxLVFDkCirNU+R0zi8tKgZy3EkQBQBQSwECFAMUAAAAAAAAACFQgxbcjAEAAAABAAAACgAAAAAAAAAAAAAAgAEAAAAAX2Fib3V0LnR4dFBLAQIUAxQAAAAIAAAAIVCuxBmqGgAAAEIAAAAHAAAAAAAAAAAAAACAASkAAABmcmEudHh0UEsFBgAAAAACAAIAbQAAAGgAAAAAAA=="
    )
    /// tarfile, pax format, gzip: `en-de/` with `en-de/IWSLT17.TED.tst1.en-de.en.xml` and a name of 120 letters.
    static let tgz = bytes(
        "H4sIAAAAAAACA+3WTQuCMBgH8J37FOK9uRdfLiodCgo6BAmdBw4LzEIN/PgNgyAROk2h/r/Dprvs8Od5nulqmWuPWMWM0Pf73RjuI99hJAVxAjKBR9Oq2lxJ/pPu89+djvuMRzTbrGnbtJz2x2al3bW0n7/wP/Pn0hcmf4b8rYsbXTiXPHG5m6rYM3/pgsDfoB71VgfVbbXKdW2v/4/U/bvmBR/0f84EC4nTof6t4zJ07qo9J69BUM0EPWfW+W833O/vv8H8l5JFAeb/FMpbVaAKAAAAAAAAAAAAAAAAAH7DE1R6+P4AKAAA"
    )

    static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64)!) }

    @Test(arguments: [(gzip, 1), (gzip + gzip, 2), (gzip + [0, 0, 0], 1)])
    func readsGzip(_ bytes: [UInt8], _ members: Int) throws {
        let lines = try Fixtures.withFolder { try Fixtures.open(Fixtures.write(bytes, $0, "a.gz")).lines }
        #expect(lines == Array(repeating: ["one", "two"], count: members).flatMap { $0 })
    }

    @Test func refusesGzipThatIsCutShortAnywhere() {
        for length in 2..<Self.gzip.count {
            #expect(throws: DataError.self, "after \(length) bytes") {
                try Gzip.inflate(Self.gzip[..<length], path: "x")
            }
        }
    }

    @Test func refusesGzipWithAWrongChecksum() {
        var damaged = Self.gzip
        damaged[damaged.count - 6] ^= 1
        #expect(throws: DataError.self) { try Gzip.inflate(damaged[...], path: "x") }
    }

    @Test func readsTheTableInAZip() throws {
        try Fixtures.withFolder { folder in
            let text = try ParallelText(tsv: Fixtures.open(Fixtures.write(Self.zip, folder, "fra-eng.zip")))
            #expect(text.count == 6)
            #expect(text.source[1] == "Run!")
            #expect(text.target[1] == "Cours !")
        }
    }

    @Test func refusesABrokenZip() throws {
        for length in 4..<Self.zip.count {
            #expect(throws: DataError.self, "after \(length) bytes") {
                try ZipArchive(Array(Self.zip[..<length]), path: "x")
            }
        }
        // Every single byte, inverted: read the same or refused, never a crash and never other text.
        let whole = try Self.contents(ZipArchive(Self.zip, path: "x"))
        for position in Self.zip.indices {
            var damaged = Self.zip
            damaged[position] ^= 0xFF
            if let read = try? Self.contents(ZipArchive(damaged, path: "x")) {
                #expect(read == whole, "byte \(position)")
            }
        }
    }

    private static func contents(_ archive: ZipArchive) throws -> [[UInt8]] { try archive.members.map(archive.content) }

    @Test func readsATar() throws {
        let members = try TarArchive(Gzip.inflate(Self.tgz[...], path: "x"), path: "x").members
        #expect(
            members.map(\.name) == [
                "en-de/IWSLT17.TED.tst1.en-de.en.xml", "en-de/" + String(repeating: "n", count: 120),
            ])
        #expect(String(decoding: members[1].content, as: UTF8.self) == "long")
    }

    /// A record says how long it is, itself counted.
    @Test(arguments: [
        ("10 path=a\n", "a"), ("9 other=1\n", nil), ("8 mt=12\n11 path=ab\n", "ab"), ("1 x\n", nil),
        ("0 path=a\n", nil), ("-9 path=a\n", nil), ("99 path=a\n", nil), ("2 path=a\n", nil), (" path=a\n", nil),
        ("", nil),
    ])
    func readsLongNames(_ record: String, _ name: String?) {
        #expect(TarArchive.paxPath(Array(record.utf8)[...]) == name)
    }

    @Test func refusesABrokenTar() throws {
        let tar = try Gzip.inflate(Self.tgz[...], path: "x")
        var damaged = tar
        damaged[0] ^= 1
        #expect(throws: DataError.self) { try TarArchive(damaged, path: "x") }
        let first = try TarArchive(tar, path: "x").members[0].content
        // within a member, at the end of one, before the first
        for length in [first.endIndex - 1, (first.endIndex + 511) / 512 * 512, 100, 0] {
            #expect(throws: DataError.self, "\(length)") { try TarArchive(Array(tar[..<length]), path: "x") }
        }
    }
}

@Suite struct IWSLTTests {
    private func write(_ folder: String, german: String, english: String) throws {
        _ = try Fixtures.write(german, folder, "IWSLT17.TED.tst9.de-en.de.xml")
        _ = try Fixtures.write(english, folder, "IWSLT17.TED.tst9.en-de.en.xml")
    }

    @Test func pairsTheTwoDirections() throws {
        try Fixtures.withFolder { folder in
            try write(
                folder,
                german:
                    "<doc docid=\"7\" genre=\"x\">\n<title>T</title>\n<seg id=\"1\"> Ja &amp; nein </seg>\n<seg id=\"2\">Zwei</seg>\n</doc>",
                english:
                    "<doc docid=\"7\">\n<seg id=\"1\"> Yes &amp; no </seg>\r\n<seg id=\"2\">Two&#10;2</seg>\n</doc>")
            let corpus = try IWSLTCorpus(archives: [folder], through: InputFiles())
            #expect(corpus.testSets(source: "en", target: "de") == ["tst9"])
            let text = try corpus.test("tst9", source: "en", target: "de")
            #expect(text.source == ["Yes & no", "Two 2"])
            #expect(text.target == ["Ja & nein", "Zwei"])
            #expect(try corpus.test("tst9", source: "de", target: "en") == text.reversed)
        }
    }

    @Test(arguments: [
        ("<doc docid=\"7\"><seg id=\"1\">a</seg><seg id=\"3\">b</seg></doc>", "segment 2 of talk 7", "segment 3"),
        ("<doc docid=\"8\"><seg id=\"1\">a</seg><seg id=\"2\">b</seg></doc>", "segment 8/1, as in", "7/1"),
        ("<doc docid=\"7\"><seg id=\"1\">a</seg></doc>", "1 sentences, as in", "2"),
    ])
    func refusesSegmentsOutOfStep(_ english: String, _ expected: String, _ found: String) throws {
        try Fixtures.withFolder { folder in
            try write(
                folder, german: "<doc docid=\"7\"><seg id=\"1\">a</seg><seg id=\"2\">b</seg></doc>", english: english)
            let corpus = try IWSLTCorpus(archives: [folder], through: InputFiles())
            let error = #expect(throws: DataError.self) { try corpus.test("tst9", source: "en", target: "de") }
            #expect(error?.expected.contains(expected) == true && error?.found == found, "\(String(describing: error))")
        }
    }

    @Test func anArchiveWithoutItsTextsIsRefused() throws {
        try Fixtures.withFolder { folder in
            _ = try Fixtures.write("nothing", folder, "notes.txt")
            let error = #expect(throws: DataError.self) { try IWSLTCorpus(archives: [folder], through: InputFiles()) }
            #expect(error?.expected == "texts of IWSLT, such as train.tags.en-de.en" && error?.found == "none")
        }
    }

    @Test func readsTaggedTrainingText() throws {
        try Fixtures.withFolder { folder in
            _ = try Fixtures.write(
                "<url>http://x</url>\n<title>T</title>\n Eins \nZwei < drei\n</doc>\n", folder, "train.tags.de-en.de")
            _ = try Fixtures.write(
                "<url>http://x</url>\nOne\nTwo < three\n<reviewer></reviewer>\n", folder, "train.tags.de-en.en")
            let text = try IWSLTCorpus(archives: [folder], through: InputFiles()).train(source: "en", target: "de")
            #expect(text.source == ["One", "Two < three"])
            #expect(text.target == ["Eins", "Zwei < drei"])
        }
    }

    @Test func saysWhatIsThereWhenSomethingIsNot() throws {
        try Fixtures.withFolder { folder in
            try write(folder, german: "<seg id=\"1\">a</seg>", english: "<seg id=\"1\">b</seg>")
            let error = #expect(throws: DataError.self) {
                try IWSLTCorpus(archives: [folder], through: InputFiles()).train(source: "en", target: "de")
            }
            #expect(error?.found == "only tst9")
            #expect(error?.exitCode == 66)
        }
    }
}
