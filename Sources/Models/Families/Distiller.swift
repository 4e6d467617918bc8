import CKernels
import Kernels

/// Rows of numbers, wherever they are kept.
public protocol RowSource {
    func read(_ row: Int, into y: UnsafeMutablePointer<Float>)
}

/// Sentences of one attention's activations: what it took in and what it put out, [tokens, d] each, in rows of their
/// sources.
public struct DistillationBatch {
    /// Indices of the sentences.
    public let sentences: ArraySlice<Int>
    /// Row at which each sentence of the whole split starts, and where the last one ends.
    public let offsets: [Int]
    public let input: any RowSource
    public let output: any RowSource
    /// The encoder's output for cross-attention, with its offsets.
    public let memory: (any RowSource)?
    public let memoryOffsets: [Int]

    public init(
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
public protocol Distiller: AnyObject {
    /// Gradient of the mean squared error over the numbers of all tokens, 1/(T d) sum |y - output|^2. Returns the sum
    /// of squares and T, the tokens that the network could see.
    func step(
        _ batch: DistillationBatch, randomness: Randomness, _ sink: GradientSink
    ) -> (squares: Double, tokens: Int)

    /// Adds up how near the outputs come, by position in the sentence.
    func compare(_ batch: DistillationBatch, _ byPosition: inout [OutputComparison])
}

/// What a distiller works with.
public struct DistillerSetting {
    public let weights: FloatBlock
    public let slots: [Slot]
    public let pool: WorkerPool
    /// Parts that a batch is cut into, whatever the number of threads: the most that can work on it.
    public static let parts = 8
    /// Of the hidden layer.
    public var dropout: Float = 0
    /// The gradient's norm is cut to this, where the whole of it is known before the update; nil: never.
    public var clip: Float?

    public init(weights: FloatBlock, slots: [Slot], pool: WorkerPool) {
        self.weights = weights
        self.slots = slots
        self.pool = pool
    }
}

/// What becomes of gradients.
public enum GradientSink {
    /// They are added here.
    case gradient(FloatBlock)
    /// The weights take a step as soon as a gradient is known, block by block where the network can: a gradient of the
    /// whole need never exist.
    case update(moment1: FloatBlock, moment2: FloatBlock, adam_t)
}

/// Sums over tokens of outputs compared with what they should be.
public struct OutputComparison: Sendable {
    /// Of the squared error.
    public var squares = 0.0
    /// Of the cosines of both vectors.
    public var cosines = 0.0
    /// Tokens of which either vector is not zero.
    public var tokens = 0.0

    public init() {}

    mutating func add(_ out: Matrix, _ wanted: Matrix) {
        var totals = [squares, cosines, tokens]
        compare_rows(out.base, wanted.base, wanted.stride, out.rows, out.columns, &totals)
        (squares, cosines, tokens) = (totals[0], totals[1], totals[2])
    }

    public static func + (a: OutputComparison, b: OutputComparison) -> OutputComparison {
        var sum = a
        sum.squares += b.squares
        sum.cosines += b.cosines
        sum.tokens += b.tokens
        return sum
    }
}
