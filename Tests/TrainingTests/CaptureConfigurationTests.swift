import Models
import Tensors
import Testing
import Training

/// Which layers of a model are captured when networks have taken the place of some attentions.
@Suite struct CaptureConfigurationTests {
    /// Three layers in the encoder and four in the decoder.
    private func settings(
        replaced: [String], _ attentions: [Attention], spans: [Span] = [.heads], layers: [Int]? = nil
    ) throws -> CaptureConfiguration {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.encoderLayers, shape.decoderLayers) = (3, 4)
        let model = ModelDescription(
            transformer: shape, source: "en", target: "de", joint: true,
            replacements: try replaced.map(Spec.init(parsing:)))
        return try CaptureConfiguration(
            of: model, at: "runs/x/splice/y", spans: spans, attentions: attentions, layers: layers, elementType: .f16)
    }

    /// A stack of one network is named once, and a part of one by its layers.
    @Test func networksOfAModelAreNamedShortly() throws {
        var shape = TransformerConfiguration(sourceVocabulary: 20, targetVocabulary: 20)
        (shape.encoderLayers, shape.decoderLayers) = (3, 2)
        func networks(_ specs: [String]) throws -> String {
            ModelDescription(
                transformer: shape, source: "en", target: "de", joint: true,
                replacements: try specs.map(Spec.init(parsing:))
            ).networks
        }
        #expect(try networks([]) == "")
        let encoder = (0..<3).map { "mix-l.encoder.\($0)" }
        #expect(try networks(encoder + ["mix-l.cross.0", "mix-l.cross.1"]) == "mix-l.encoder+mix-l.cross")
        #expect(
            try networks(encoder.dropLast() + ["mix-s.encoder.2"])
                == "mix-l.encoder.0+mix-l.encoder.1+mix-s.encoder.2")
    }

    /// What `capture` says instead of starting.
    private func refusal(
        replaced: [String], _ attentions: [Attention], spans: [Span] = [.heads], layers: [Int]? = nil
    ) -> DataError? {
        do {
            _ = try settings(replaced: replaced, attentions, spans: spans, layers: layers)
            return nil
        } catch { return error as? DataError }
    }

    @Test func allLayersOfAWholeModel() throws {
        #expect(try settings(replaced: [], [.encoder]).layers == [0, 1, 2])
        #expect(try settings(replaced: [], [.encoder, .cross]).layers == [0, 1, 2, 3])
        #expect(try settings(replaced: [], [.decoder], layers: [3, 1, 3]).layers == [1, 3])
    }

    @Test func withoutLayersThoseThatAreThereAtEveryChosenAttention() throws {
        #expect(try settings(replaced: ["alr-m.encoder.0"], [.encoder]).layers == [1, 2])
        #expect(try settings(replaced: ["elr-m.encoder.1"], [.encoder], spans: [.heads, .layer]).layers == [0, 2])
        #expect(try settings(replaced: ["alr-m.encoder.0"], [.decoder, .cross]).layers == [0, 1, 2, 3])
        #expect(
            try settings(replaced: ["alr-m.encoder.0", "alr-m.decoder.2"], [.encoder, .decoder]).layers == [1, 3])
        #expect(try settings(replaced: ["alr-m.crossfull.3"], [.cross]).layers == [0, 1, 2])
    }

    @Test func namesWhatWasReplaced() {
        let first = refusal(
            replaced: ["alr-m.encoder.0", "elr-s.encoder.2"], [.encoder], spans: [.heads, .layer], layers: [0, 1, 2])
        #expect(
            first?.description
                == "runs/x/splice/y: expected attentions that are still there, found encoder.0 encoder.2 replaced by networks"
        )
        #expect(first?.hint == "--layers 1: there at each chosen attention")
        #expect(first?.exitCode == 65)
        let cross = refusal(replaced: ["alr-m.crossfull.1"], [.crossfull, .decoder], layers: [1])
        #expect(cross?.found == "cross.1 replaced by networks")
        #expect(cross?.hint == "choose other --attentions, or capture from the model that it was spliced from")
    }

    @Test func nothingIsLeft() {
        let gone = refusal(replaced: ["alr-m.encoder.0", "alr-m.encoder.1", "alr-m.encoder.2"], [.encoder])
        #expect(gone?.found == "encoder.0 encoder.1 encoder.2 replaced by networks")
        #expect(gone?.hint == "choose other --attentions, or capture from the model that it was spliced from")
    }

    /// Else a capture would be made without it, and its memory would be that of a lower layer.
    @Test func everyChosenAttentionHasAPlace() {
        #expect(throws: SpecError.self) { try settings(replaced: [], [.encoder, .decoder], spans: [.layer]) }
        #expect(throws: SpecError.self) { try settings(replaced: [], [.encoder, .cross], layers: [3]) }
        #expect(throws: Never.self) { try settings(replaced: [], [.encoder, .cross], layers: [2, 3]) }
        // only layer 3 is left, which the encoder does not have
        #expect(throws: SpecError.self) {
            try settings(
                replaced: ["alr-m.decoder.0", "alr-m.decoder.1", "alr-m.decoder.2"], [.encoder, .decoder])
        }
    }

    /// What was typed wrong comes first, and is a matter of usage.
    @Test func aLayerThatNoSuchModelHas() {
        #expect(throws: SpecError.self) { try settings(replaced: ["alr-m.encoder.0"], [.encoder], layers: [0, 3]) }
    }
}
