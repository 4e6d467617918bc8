import CKernels
import Kernels

/// Distillation of a network that works on packed rows, see `TiledGradient`: the result has the same bits whatever the
/// number of threads.
final class PackedDistiller: Distiller {
    private let network: any ContextNetwork
    private let setting: DistillerSetting
    private let width: Int
    private let gradients: TiledGradient
    private let gradient: FloatBlock
    /// The batch's sentences: those that are learnt as target, those of the memory as source.
    private var pair = PairBatch()
    /// Of each sentence.
    private var squares: [Double] = []
    /// Of each token.
    private var comparisons: [OutputComparison] = []

    var mostThreads: Int? { gradients.mostThreads }

    /// Tokens of a round, at most: those of a batch, but for long texts.
    private static let roundTokens = 8192

    init(_ network: any ContextNetwork, width: Int, _ setting: DistillerSetting) {
        self.network = network
        self.width = width
        self.setting = setting
        var cut = BatchCut()
        cut.roundTokens = Self.roundTokens
        gradients = TiledGradient(setting.weights, cut: cut, pool: setting.pool)
        gradient = FloatBlock(setting.weights.count)
        let zeros = Zeros(width: width)
        let token = DistillationBatch(
            sentences: [0], offsets: [0, 1], input: zeros, output: zeros, memory: setting.readsMemory ? zeros : nil,
            memoryOffsets: [0, 1])
        load(token)
        gradients.measure(pair, setting.slots) { learn(token, $0, scale: 1, &squares[0]) }
    }

    private struct Zeros: RowSource {
        let width: Int
        func read(_ row: Int, into y: UnsafeMutablePointer<Float>) { y.update(repeating: 0, count: width) }
    }

    func step(
        _ batch: DistillationBatch, randomness: Randomness, _ sink: any GradientSink
    ) -> (squares: Double, tokens: Int) {
        load(batch)
        gradients.weightsHaveChanged()
        let tokens = pair.target.tokens, scale = 2 / Float(max(tokens, 1) * width)
        squares.withUnsafeMutableBufferPointer { squares in
            gradients.run(pair, 0..<squares.count, randomness: randomness, into: gradient) { work in
                learn(batch, work, scale: scale, squares.baseAddress! + work.sentences.lowerBound)
            }
        }
        sink.take(gradient)
        return (squares.reduce(0, +), tokens)
    }

    /// - Parameter squares: of the tile's first sentence and those that follow
    private func learn(
        _ batch: DistillationBatch, _ work: TiledGradient.Work, scale: Float, _ squares: UnsafeMutablePointer<Double>
    ) {
        let pass = work.pass.of(.target), space = pass.workspace, sentences = work.tile.batch.target
        let (x, memory) = inputs(batch, work), tape = network.forward(x, sentences, memory: memory, pass)
        let targets = targets(batch, work), dy = space.matrix(x.rows, width), none = space.zeros(2, width)
        dy.copy(from: tape.context)
        for s in 0..<sentences.sentences {
            let first = sentences.offsets[s]
            squares[s] = squared_error(
                dy.row(first), none.row(0), targets.row(first), targets.stride, sentences.length(s), width, scale,
                none.row(1))
        }
        network.backward(tape, sentences, memory: memory, dcontext: dy, dx: nil, dmemory: nil, pass)
    }

    func compare(_ batch: DistillationBatch, _ byPosition: inout [OutputComparison]) {
        load(batch)
        gradients.weightsHaveChanged()
        comparisons.removeAll(keepingCapacity: true)
        comparisons.append(contentsOf: repeatElement(OutputComparison(), count: pair.target.tokens))
        comparisons.withUnsafeMutableBufferPointer { comparisons in
            gradients.forward(pair) { work in
                let (x, memory) = inputs(batch, work), targets = targets(batch, work)
                let out = network.forward(x, work.tile.batch.target, memory: memory, work.pass.of(.target)).context,
                    first = pair.target.offsets[work.sentences.lowerBound]
                for row in 0..<out.rows {
                    comparisons[first + row].add(out.rows(row..<row + 1), targets.rows(row..<row + 1))
                }
            }
        }
        for s in 0..<pair.target.sentences {
            while byPosition.count < pair.target.length(s) { byPosition.append(OutputComparison()) }
            for (position, token) in pair.target.range(s).enumerated() {
                byPosition[position] = byPosition[position] + comparisons[token]
            }
        }
    }

    // MARK: - Sentences

    private func load(_ batch: DistillationBatch) {
        require((batch.memory != nil) == setting.readsMemory, "a batch with a memory where none is read, or without")
        pair.removeAll()
        squares.removeAll(keepingCapacity: true)
        for place in 0..<batch.sentences.count {
            let sentence = batch.sentence(place)
            pair.target.append(length: batch.offsets[sentence + 1] - batch.offsets[sentence])
            let source = batch.memory.map { _ in batch.memoryOffsets[sentence + 1] - batch.memoryOffsets[sentence] }
            pair.source.append(length: source ?? 0)
            squares.append(0)
        }
    }

    private func inputs(_ batch: DistillationBatch, _ work: TiledGradient.Work) -> (Matrix, EncoderOutput?) {
        let own = work.tile.batch, x = work.pass.of(.target).keep(own.target.tokens, width)
        read(batch.input, batch.offsets, batch, work, into: x)
        guard let memory = batch.memory else { return (x, nil) }
        let source = work.pass.of(.source).keep(own.source.tokens, width)
        read(memory, batch.memoryOffsets, batch, work, into: source)
        return (x, EncoderOutput(x: source, sentences: own.source))
    }

    private func targets(_ batch: DistillationBatch, _ work: TiledGradient.Work) -> Matrix {
        let result = work.pass.workspace.matrix(work.tile.batch.target.tokens, width)
        read(batch.output, batch.offsets, batch, work, into: result)
        return result
    }

    /// The tokens of a tile, one sentence after another.
    private func read(
        _ source: any RowSource, _ offsets: [Int], _ batch: DistillationBatch, _ work: TiledGradient.Work,
        into rows: Matrix
    ) {
        var row = 0
        for place in work.sentences {
            let sentence = batch.sentence(place)
            for token in offsets[sentence]..<offsets[sentence + 1] {
                source.read(token, into: rows.row(row))
                row += 1
            }
        }
    }
}
