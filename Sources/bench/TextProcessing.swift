import Corpus
import Scoring

extension Session {
    /// Subwords of the test set's source side; BLEU and chrF of its target side with a word of each sentence left out.
    func text() throws {
        let lines = try folder.lines(.test, .source), references = try folder.lines(.test, .target)
        let hypotheses = references.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        add(
            .text, "subwords", threads: 1,
            stopwatch.rate {
                for line in lines { _ = folder.source.encode(line) }
                return Double(lines.count)
            }, "sentences/s")
        add(.text, "BLEU", threads: 1, try rate(BLEU(), hypotheses, references), "sentences/s")
        add(.text, "chrF2", threads: 1, try rate(CHRF(), hypotheses, references), "sentences/s")
    }

    private func rate(_ metric: some CorpusMetric, _ hypotheses: [String], _ references: [String]) throws -> Double {
        _ = try metric.score(hypotheses: hypotheses, references: references)  // what it throws it throws here
        return stopwatch.rate {
            _ = try? metric.score(hypotheses: hypotheses, references: references)
            return Double(hypotheses.count)
        }
    }
}
