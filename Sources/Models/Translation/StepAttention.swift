import Kernels

/// What maps whole sentences to whole sentences in the encoder: self-attention, or a network in the place of it, of its
/// sublayer or of its layer. Shared by threads. A sentence's result must depend on that sentence alone, to the last
/// bit.
package protocol SentenceMap {
    /// Whether the output projection is part of it: what it puts out is then added to y.
    var isProjected: Bool { get }
    /// - x: [tokens, d];  y: [tokens, d], overwritten, or added to where `isProjected`
    func callAsFunction(_ x: Matrix, _ sentences: Packed, into y: Matrix, _ space: Workspace)
}

extension SentenceMap {
    package var isProjected: Bool { false }
}

/// What gives the decoder's new position its context: self-attention, cross-attention, or a network in the place of
/// either. Holds weights alone and is shared by threads; what it remembers of a batch is in its states.
package protocol StepAttention {
    /// Whether the output projection is part of it: its states then add to `context` what they put out.
    var isProjected: Bool { get }
    /// Whether a hypothesis is remembered in so many numbers, whatever its position and the source.
    var hasConstantState: Bool { get }
    func makeState() -> any StepState
}

extension StepAttention {
    package var isProjected: Bool { false }
    package var hasConstantState: Bool { false }
}

/// One attention's memory of a batch of hypotheses. A hypothesis lives in a slot; it keeps it from step to step.
package protocol StepState: AnyObject {
    /// A new batch; whatever was remembered is forgotten.
    ///
    /// - Parameters:
    ///   - memory: encoder output [source tokens, d]
    ///   - slots: most hypotheses at a time
    ///   - space: what is taken from it stays valid until the batch is done
    func begin(_ memory: Matrix, _ sources: Packed, slots: Int, _ space: Workspace)

    /// One more position of each row's hypothesis.
    ///
    /// - Parameters:
    ///   - x: [rows, d], LayerNorm of the sublayer's input
    ///   - context: [rows, d], what goes to the output projection; overwritten. Where `isProjected`, the residual,
    ///     which is added to
    ///   - space: for the step only
    func append(_ x: Matrix, _ rows: StepRows, into context: Matrix, _ space: Workspace)

    /// The hypothesis in slot `to` goes on from that in slot `from`, at present of `positions` positions.
    func copy(from: Int, to: Int, positions: Int)
}
