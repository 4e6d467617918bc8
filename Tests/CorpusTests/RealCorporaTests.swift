import Testing

@testable import Corpus

/// The corpora themselves, where they are at hand (see `Fixtures.corpora`).
@Suite(.enabled(if: Fixtures.corpora != nil, "needs the corpora; CORPORA names their folder"))
struct RealCorporaTests {
    private let folder = Fixtures.corpora ?? ""

    @Test(arguments: [("train", 29_000), ("val", 1014), ("test_2016_flickr", 1000)], ["de", "fr"])
    func multi30k(_ part: (String, Int), _ target: String) throws {
        let text = try Fixtures.pair("\(folder)/multi30k/\(part.0).en.gz", "\(folder)/multi30k/\(part.0).\(target).gz")
        #expect(text.count == part.1)
        #expect(!text.source.contains("") && !text.target.contains(""))
    }

    @Test func tatoeba() throws {
        let text = try ParallelText(tsv: Fixtures.open("\(folder)/tatoeba/fra-eng.zip"))
        #expect(text.count == 142_787)
        #expect(text.source[0] == "Go.")
        #expect(text.target[0] == "Va !")
    }

    @Test func iwslt() throws {
        let corpus = try IWSLTCorpus(
            archives: ["en-de", "de-en"].map { "\(folder)/iwslt17-test/\($0).tgz" }, through: InputFiles())
        #expect(corpus.testSets(source: "en", target: "de") == ["tst2016", "tst2017"])
        #expect(try corpus.test("tst2016", source: "en", target: "de").count == 1133)
        let text = try corpus.test("tst2017", source: "de", target: "en")
        #expect(text.count == 1138)
        #expect(!text.source.contains("") && !text.target.contains(""))
    }
}
