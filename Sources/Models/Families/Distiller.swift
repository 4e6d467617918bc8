import CKernels
import Kernels

/// Rows of numbers, wherever they are kept.
package protocol RowSource {
    func read(_ row: Int, into y: UnsafeMutablePointer<Float>)
}

/// Sentences of one attention's activations: what it took in and what it put out, [tokens, d] each, in rows of their
/// sources.
package struct DistillationBatch {
    /// Indices of the sentences.
    package let sentences: ArraySlice<Int>
    /// Row at which each sentence of the whole split starts, and where the last one ends.
    package let offsets: [Int]
    package let input: any RowSource
    package let output: any RowSource
    /// The encoder's output for cross-attention, with its offsets.
    package let memory: (any RowSource)?
    package let memoryOffsets: [Int]

    package init(
        sentences: ArraySlice<Int>, offsets: [Int], input: any RowSource, output: any RowSource,
        memory: (any RowSource)?, memoryOffsets: [Int]
    ) {
        self.sentences = sentences
        self.offsets = offsets
        self.input = input
        self.output = output
        self.memory = memory
        self.memoryOffsets = memoryOffsets
    }

    /// Index, among all, of the sentence at a place of the batch.
    func sentence(_ place: Int) -> Int { sentences[sentences.startIndex + place] }
}

/// A network that learns from captured activations.
package protocol Distiller: AnyObject {
    /// Gradient of the mean squared error over the numbers of all tokens, 1/(T d) sum |y - output|^2. Returns the sum
    /// of squares and T, the tokens that the network could see.
    func step(
        _ batch: DistillationBatch, randomness: Randomness, _ sink: any GradientSink
    ) -> (squares: Double, tokens: Int)

    /// Adds up how near the outputs come, by position in the sentence.
    func compare(_ batch: DistillationBatch, _ byPosition: inout [OutputComparison])

    /// The most threads that can work on a batch; nil where there is no such number.
    var mostThreads: Int? { get }
}

/// What a distiller works with.
package struct DistillerSetting {
    package let weights: FloatBlock
    package let slots: [Slot]
    package let pool: WorkerPool
    /// Of the hidden layer.
    package var dropout: Float = 0
    /// Whether batches have a memory, as those of cross-attention.
    package var readsMemory = false

    package init(weights: FloatBlock, slots: [Slot], pool: WorkerPool) {
        self.weights = weights
        self.slots = slots
        self.pool = pool
    }
}

/// What becomes of gradients.
package protocol GradientSink {
    /// `count` numbers of a slot's gradient are known, those of the weights from `start` on. Called by any thread, as
    /// soon as a network knows them: where weights are updated at once, a gradient of the whole need never exist.
    func take(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, at start: Int, of slot: Slot)
    /// All of it is known.
    func take(_ gradient: FloatBlock)
}

/// Gradients are added to a block.
package struct GradientSum: GradientSink {
    private let sum: FloatBlock

    package init(_ sum: FloatBlock) { self.sum = sum }

    package func take(_ gradient: UnsafeMutablePointer<Float>, _ count: Int, at start: Int, of slot: Slot) {
        add_rows(sum.base + start, count, gradient, count, 1, count)
    }

    package func take(_ gradient: FloatBlock) {
        add_rows(sum.base, sum.count, gradient.base, sum.count, 1, sum.count)
    }
}

/// Sums over tokens of outputs compared with what they should be.
package struct OutputComparison: Sendable {
    private var totals = (squares: 0.0, cosines: 0.0, tokens: 0.0)

    package init() {}

    /// Of the squared error.
    package var squares: Double { totals.squares }
    /// Of the cosines of both vectors.
    package var cosines: Double { totals.cosines }
    /// Tokens that have one: of which neither vector is zero.
    package var tokens: Double { totals.tokens }

    mutating func add(_ out: Matrix, _ targets: Matrix) {
        withUnsafeMutablePointer(to: &totals) {
            $0.withMemoryRebound(to: Double.self, capacity: 3) {
                compare_rows(out.base, targets.base, targets.stride, out.rows, out.columns, $0)
            }
        }
    }

    package static func + (a: OutputComparison, b: OutputComparison) -> OutputComparison {
        var sum = a
        sum.totals.squares += b.squares
        sum.totals.cosines += b.cosines
        sum.totals.tokens += b.tokens
        return sum
    }
}
