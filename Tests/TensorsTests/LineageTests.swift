import Testing

@testable import Tensors

@Suite struct LineageTests {
    /// Artifacts that were made one from another, and what the manifest of each would say.
    private final class History {
        private(set) var madeFrom: [String: [String: String]] = [:]
        private(set) var lineages: [String: [String: String]] = [:]

        func make(_ name: String, _ inputs: [String: String] = [:]) {
            madeFrom[name] = inputs
            lineages[name] = Lineage.of(inputs.map { ($0.key, $0.value, lineages[$0.value] ?? [:]) })
        }

        /// By definition: along every path.
        func allPaths(_ name: String) -> [String: String] {
            (madeFrom[name] ?? [:]).reduce(into: [:]) { result, input in
                result[input.key] = input.value
                for (path, origin) in allPaths(input.value) { result[input.key + "/" + path] = origin }
            }
        }
    }

    /// A model that takes a network a layer, each learnt from the model before it.
    private func grown(layers: Int) -> History {
        let history = History()
        history.make("text")
        history.make("tokens", ["train": "text"])
        history.make("model 0", ["tokens": "tokens"])
        for layer in 1...layers {
            history.make("capture \(layer)", ["model": "model \(layer - 1)", "tokens": "tokens"])
            history.make("network \(layer)", ["capture": "capture \(layer)"])
            history.make(
                "model \(layer)", ["model": "model \(layer - 1)", "replacement.mix-l": "network \(layer)"])
        }
        return history
    }

    @Test func everythingIsThereWithWhatItWasMadeFrom() throws {
        let history = grown(layers: 5), lineage = try #require(history.lineages["model 5"]),
            all = history.allPaths("model 5")
        #expect(lineage.allSatisfy { all[$0.key] == $0.value })
        #expect(Set(lineage.values) == Set(all.values))
        for artifact in Set(all.values) {
            #expect(Lineage.origins(of: artifact, in: lineage) == history.madeFrom[artifact]!, "\(artifact)")
        }
    }

    @Test func pathsAreTheShortest() throws {
        let history = grown(layers: 3), lineage = try #require(history.lineages["model 3"])
        #expect(lineage["model/model/model"] == "model 0" && lineage["model/model/model/tokens"] == "tokens")
        #expect(lineage["replacement.mix-l/capture/model"] == "model 2")
        #expect(lineage["replacement.mix-l/capture/model/model"] == nil)
    }

    /// Forty layers have 2^40 paths.
    @Test func itGrowsWithTheArtifacts() throws {
        let history = grown(layers: 40), lineage = try #require(history.lineages["model 40"])
        #expect(lineage.count == history.madeFrom.filter { $0.key != "model 40" }.values.reduce(2) { $0 + $1.count })
    }

    @Test func whatIsReadTwiceIsTheFirst() {
        #expect(
            Lineage.of([("model", "a", ["tokens": "x"]), ("base", "a", [:])]) == [
                "base": "a", "base/tokens": "x", "model": "a",
            ])
        #expect(Lineage.of([("model", "a", ["tokens/train": "x"])]) == ["model": "a"])
    }
}
