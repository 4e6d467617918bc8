import Kernels

/// Encodes a batch of sources and then extends hypotheses token by token. One a thread, used for one batch after
/// another.
final class IncrementalDecoder {
    private let model: TranslationModel
    private let selfAttention: [any StepState]
    private let cross: [any StepState]
    /// What lasts as long as the batch, and what lasts for a step.
    private let workspace = Workspace()
    private let scratch = Workspace()
    private var group = Packed()
    /// Source tokens encoded together, usually the whole batch: a network in the place of an attention reads megabytes
    /// of weights for each group, however small (256 tokens: a fifth slower with ALR-M; the teacher alone does not
    /// care).
    static let groupTokens = 1536

    init(_ model: TranslationModel) {
        self.model = model
        selfAttention = model.decoder.map { $0.selfAttention.attention.makeState() }
        cross = model.decoder.map { $0.cross.attention.makeState() }
    }

    /// - Parameter slots: most hypotheses at a time
    func begin(_ sources: Packed, slots: Int) {
        workspace.reset()
        scratch.reset()
        let encoded = encode(sources)
        for state in selfAttention { state.begin(encoded, sources, slots: slots, workspace) }
        for state in cross { state.begin(encoded, sources, slots: slots, workspace) }
    }

    private func encode(_ sources: Packed) -> Matrix {
        let encoded = workspace.matrix(sources.tokens, model.configuration.width)
        var start = 0
        while start < sources.sentences {
            let end = sources.group(from: start, tokens: Self.groupTokens).upperBound
            group.removeAll()
            for sentence in start..<end { group.append(sentence: sources.ids[sources.range(sentence)]) }
            let mark = scratch.mark, x = model.embedSource(group, scratch)
            let first = sources.offsets[start]
            for layer in model.encoder { layer(x, group, scratch) }
            model.encoderNorm(x, into: encoded.rows(first..<sources.offsets[end]), scratch)
            scratch.release(to: mark)
            start = end
        }
        return encoded
    }

    /// The `k` likeliest tokens to follow each row's.
    func step(_ rows: StepRows, k: Int, suppressed: [Int32], into best: inout Candidates) {
        let mark = scratch.mark, x = forward(rows)
        model.decoderNorm(x, into: x, scratch)
        model.output.best(k, of: x, suppressed: suppressed, into: &best, scratch)
        scratch.release(to: mark)
    }

    private func forward(_ rows: StepRows) -> Matrix {
        let x = model.embedTarget(rows, scratch)
        for (index, layer) in model.decoder.enumerated() {
            layer.selfAttention(x, rows, selfAttention[index], scratch)
            layer.cross(x, rows, cross[index], scratch)
            layer.feedForward(x, scratch)
        }
        return x
    }

    /// The hypothesis in slot `to` goes on from that in slot `from`, at present of `positions` positions.
    func copy(from: Int, to: Int, positions: Int) {
        for state in selfAttention { state.copy(from: from, to: to, positions: positions) }
        for state in cross { state.copy(from: from, to: to, positions: positions) }
    }
}
