import Foundation
import Kernels
import Testing

@testable import Models

/// Which token an output owes to which: against the definition, one token at a time.
struct InfluenceTests {
    private static let attentions = [Attention.encoder, .decoder, .cross]
    private static let specs = [
        "alr-h9.encoder", "alrr-h9.encoder", "aslr-h5.encoder", "elr-h9.encoder", "alr-h9.decoder", "alr-h9.cross",
        "alr-h9.crossfull", "mix-k3.encoder", "mix-k3.decoder", "mix-k3r5.cross", "slots-k3d2.encoder",
        "slots-k3d2.decoder", "slots-k3d2.cross",
    ]
    private let source: [Int32] = [5, 3, 9, 3, 7], target: [Int32] = [4, 8, 11]

    /// A pass over one sentence of a model with other weights than those that it would begin with.
    private struct OnePass {
        let fixture: TransformerFixture
        let pass: TransformerPass
        let memory: Matrix

        init(_ specs: [String], _ source: [Int32], _ target: [Int32], silent: String? = nil) {
            fixture = TransformerFixture(.tiny(), replacing: specs, seed: 3)
            for slot in fixture.model.layout.slots {
                for i in slot.range where slot.shape.count == 1 {
                    fixture.weights.base[i] += Float((i * 37) % 11 - 5) / 15
                }
                // queries and keys are the first two thirds
                if let silent, slot.name.hasPrefix(silent + ".projection") {
                    for i in slot.range.prefix(slot.count * 2 / 3) { fixture.weights.base[i] = 0 }
                }
            }
            pass = TransformerPass(fixture.model, weights: fixture.weights, mapsAttention: true)
            memory = pass.run(PairBatch([(source, target)]))
        }

        func weight(_ name: String) -> Matrix {
            fixture.weights[fixture.model.layout.slots.first { $0.name == name }!]
        }
    }

    private static func scope(_ attention: Attention) -> String {
        switch attention {
        case .encoder: "encoder.0.attention"
        case .decoder: "decoder.0.attention"
        case .cross, .crossfull: "decoder.0.cross"
        }
    }

    private func expectRows(_ map: PlaceMap, _ attention: Attention, _ what: String) {
        for i in 0..<map.outputs {
            let row = (0..<map.read).map { map[i, $0] }
            #expect(abs(row.reduce(0, +) - 1) < 1e-5, "\(what): row \(i) is \(row)")
            #expect(row.allSatisfy { $0 >= 0 }, "\(what): row \(i) is \(row)")
            if attention == .decoder { #expect(row[(i + 1)...].allSatisfy { $0 == 0 }, "\(what): row \(i) is \(row)") }
        }
    }

    private func expectClose(_ map: PlaceMap, _ changes: [[Double]], _ what: String) {
        #expect(map.outputs == changes.count && map.read == changes[0].count, "\(what)")
        for (i, row) in changes.enumerated() {
            let sum = row.reduce(0, +)
            for (j, change) in row.enumerated() {
                #expect(
                    abs(Double(map[i, j]) - change / sum) < 2e-4,
                    "\(what): [\(i), \(j)] is \(map[i, j]), not \(change / sum)")
            }
        }
    }

    // MARK: - Attention

    /// softmax over the keys that are there, in Double.
    @Test(arguments: attentions)
    func attentionByItsEquation(_ attention: Attention) throws {
        let one = OnePass([], source, target), scope = Self.scope(attention)
        let x = one.pass.activations(CapturePoint(span: .heads, attention: attention, layer: 0)).input
        let read = attention.readsMemory ? one.memory : x
        let w = one.weight(scope + ".projection.weight"), b = one.weight(scope + ".projection.bias")
        func projected(_ m: Matrix, _ row: Int, _ third: Int) -> [Double] {
            (0..<8).map { c in
                let at = third * 8 + c
                return (0..<8).reduce(Double(b.base[at])) { $0 + Double(m[row, $1]) * Double(w[at, $1]) }
            }
        }
        let q = (0..<x.rows).map { projected(x, $0, 0) }, k = (0..<read.rows).map { projected(read, $0, 1) }
        let v = (0..<read.rows).map { projected(read, $0, 2) }
        func weights(_ i: Int, _ head: Int, without left: Int?) -> [Double] {
            let columns = head * 4..<head * 4 + 4
            let scores = k.indices.map { j -> Double in
                guard j != left, attention != .decoder || j <= i else { return 0 }
                return exp(columns.reduce(0) { $0 + q[i][$1] * k[j][$1] } / 2)
            }
            let sum = scores.reduce(0, +)
            return sum > 0 ? scores.map { $0 / sum } : scores
        }
        func output(_ i: Int, without left: Int?) -> [Double] {
            (0..<8).map { c in zip(weights(i, c / 4, without: left), v).reduce(0) { $0 + $1.0 * $1.1[c] } }
        }
        let changes = q.indices.map { i in
            k.indices.map { j -> Double in
                zip(output(i, without: nil), output(i, without: j)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                    .squareRoot()
            }
        }
        let map = one.pass.influence(attention, 0)
        expectClose(map, changes, "\(attention)")
        expectRows(map, attention, "\(attention)")
        let shown = try #require(one.pass.attentionWeights(attention, 0))
        expectClose(
            shown,
            q.indices.map { i in zip(weights(i, 0, without: nil), weights(i, 1, without: nil)).map { ($0 + $1) / 2 } },
            "weights of \(attention)")
    }

    /// Queries and keys of zero weigh all n tokens alike, so that token j moves an output by |y - v_j| / (n - 1).
    @Test func uniformAttentionOwesToWhatIsFarFromTheMean() {
        let one = OnePass([], source, target, silent: "decoder.0.cross")
        let weight = one.weight("decoder.0.cross.projection.weight"),
            bias = one.weight("decoder.0.cross.projection.bias")
        let n = source.count
        let values = (0..<n).map { j in
            (16..<24).map { c in
                (0..<8).reduce(Double(bias.base[c])) { $0 + Double(weight[c, $1]) * Double(one.memory[j, $1]) }
            }
        }
        let mean = (0..<8).map { c in values.reduce(0) { $0 + $1[c] } / Double(n) }
        let changes = values.map { v in
            zip(mean, v).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot() / Double(n - 1)
        }
        expectClose(
            one.pass.influence(.cross, 0), Array(repeating: changes, count: target.count + 1), "uniform attention")
        let weights = one.pass.attentionWeights(.cross, 0)!
        #expect(weights.values.allSatisfy { abs($0 - 1 / Float(n)) < 1e-6 })
    }

    // MARK: - Networks

    /// One token at a time, each in a pass of its own.
    @Test(arguments: specs)
    func networksByTheDefinition(_ text: String) throws {
        let spec = try Spec(parsing: text), attention = spec.attention.captured
        let one = OnePass([text + ".0"], source, target)
        let map = one.pass.influence(attention, 0)
        expectRows(map, attention, text)
        #expect(one.pass.attentionWeights(attention, 0) == nil)

        let site = CapturePoint(span: spec.family.span, attention: attention, layer: 0), space = Workspace()
        let network = one.fixture.model.sublayer(attention, 0).network
        let pass = Pass(weights: one.fixture.weights, workspace: space)
        let input = one.pass.activations(site).input
        let read = attention.readsMemory ? one.memory : input
        func run(_ x: Matrix, reading memory: Matrix?) -> Matrix {
            let memory = memory.map { EncoderOutput(x: $0, sentences: Packed([$0.rows])) }
            return network.forward(x, Packed([x.rows]), memory: memory, pass).context
        }
        func rows(_ x: Matrix, _ some: [Int]) -> Matrix {
            let result = space.matrix(some.count, x.columns)
            for (to, from) in some.enumerated() { result.row(to).update(from: x.row(from), count: x.columns) }
            return result
        }
        let whole = run(input, reading: attention.readsMemory ? read : nil)
        /// Row i of the output without token j.
        func without(_ j: Int, _ i: Int) -> [Float]? {
            func row(_ y: Matrix, _ index: Int) -> [Float] { (0..<y.columns).map { y[index, $0] } }
            guard network.readsSet else {
                let less = rows(read, Array(0..<read.rows))
                less.rows(j..<j + 1).fill(0)
                return row(attention.readsMemory ? run(input, reading: less) : run(less, reading: nil), i)
            }
            switch attention {
            case .cross, .crossfull: return row(run(input, reading: rows(read, (0..<read.rows).filter { $0 != j })), i)
            case .encoder:
                // a sentence that lacks it, and for its own output, a question of a sentence that lacks it
                let others = (0..<input.rows).filter { $0 != j }
                return i == j
                    ? row(run(rows(input, [j]), reading: rows(input, others)), 0)
                    : row(run(rows(input, others), reading: nil), others.firstIndex(of: i)!)
            case .decoder:
                if j > i { return row(whole, i) }
                let others = (0...i).filter { $0 != j }
                guard !others.isEmpty else { return nil }
                if j < i { return row(run(rows(input, others), reading: nil), others.count - 1) }
                // the question stands where all the others have been read
                let asking = rows(input, Array(others.dropLast()) + [i])
                return row(run(asking, reading: rows(input, others)), others.count - 1)
            }
        }
        let changes = (0..<whole.rows).map { i in
            (0..<read.rows).map { j -> Double in
                let other = without(j, i)
                return (0..<whole.columns).reduce(0.0) { sum, c in
                    let difference = Double(whole[i, c] - (other?[c] ?? 0))
                    return sum + difference * difference
                }.squareRoot()
            }
        }
        expectClose(map, changes, text)
    }

    /// What `readsSet` promises.
    @Test(arguments: ["mix-k3.encoder", "mix-k3.decoder", "slots-k3d2.encoder", "slots-k3d2.decoder", ""])
    func aSetIsReadFromXOrFromMemory(_ text: String) throws {
        for attention in [Attention.encoder, .decoder] where text.isEmpty || text.hasSuffix("\(attention)") {
            let one = OnePass(text.isEmpty ? [] : [text + ".0"], source, target), space = Workspace()
            let pass = Pass(weights: one.fixture.weights, workspace: space)
            let network = one.fixture.model.sublayer(attention, 0).network
            let x = one.pass.activations(CapturePoint(span: .heads, attention: attention, layer: 0)).input
            var sentences = Packed()
            sentences.append(length: x.rows)
            let own = network.forward(x, sentences, memory: nil, pass).context
            let given = network.forward(x, sentences, memory: EncoderOutput(x: x, sentences: sentences), pass).context
            for i in 0..<own.count { #expect(abs(own.base[i] - given.base[i]) < 1e-6) }
        }
    }

    @Test(arguments: attentions)
    func theOnlyTokenHasAllInfluence(_ attention: Attention) {
        let one = OnePass([], [5], [])
        #expect(one.pass.influence(attention, 0).values == [1])
    }
}
