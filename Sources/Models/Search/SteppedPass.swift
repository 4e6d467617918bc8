import Kernels

/// A teacher-forced pass through a model laid out for translation, networks in the place of attentions included. Sources are
/// encoded whole; the decoder is fed the references position by position, so an attention is given just what it will be given
/// in translation: after a network that was trained to see the future (`crossfull`), what that network says without it.
public final class SteppedPass: ActivationPass {
    private let decoder: IncrementalDecoder
    private let recorder: ActivationRecorder
    private let width: Int
    private var rows = StepRows()

    /// - Parameter sites: what `activations` may be asked for, each of an attention that the model still has
    public init(_ model: TranslationModel, sites: [CaptureSite]) {
        recorder = ActivationRecorder(sites)
        decoder = IncrementalDecoder(model, recorder: recorder)
        width = model.configuration.width
    }

    public func run(_ batch: PairBatch) -> Matrix {
        recorder.begin(batch, width: width)
        let memory = decoder.begin(batch.source, slots: batch.target.sentences)
        guard recorder.decoderLayers > 0 else { return memory }
        var position = 0
        while fillRows(batch, position) {
            decoder.advance(rows)
            position += 1
        }
        return memory
    }

    public func activations(_ site: CaptureSite) -> Activations { recorder.activations(site) }

    /// The sentences whose references reach `position`; false if none does.
    private func fillRows(_ batch: PairBatch, _ position: Int) -> Bool {
        rows.removeAll()
        for s in 0..<batch.target.sentences where batch.target.length(s) > position {
            rows.tokens.append(batch.target.ids[batch.target.offsets[s] + position])
            rows.slots.append(Int32(s))
            rows.sentences.append(Int32(s))
            rows.sourceLengths.append(Int32(batch.source.length(s)))
        }
        rows.setPosition(position)
        return rows.count > 0
    }
}
