import Kernels

/// What a forward pass leaves for the backward pass. Kept between steps, so that a step allocates nothing.
package final class TransformerTrace {
    var encoder: [EncoderLayer.Tape] = []
    var decoder: [DecoderLayer.Tape] = []

    package init() {}

    func removeAll() {
        encoder.removeAll(keepingCapacity: true)
        decoder.removeAll(keepingCapacity: true)
    }
}

extension Transformer {
    /// Teacher-forced loss of some sentences, with its gradient where `pass` wants one.
    ///
    /// - Parameters:
    ///   - smoothing: of the labels (Szegedy et al. 2016)
    ///   - gradientScale: what the summed loss is multiplied by before it is differentiated; 1 / tokens of the whole
    ///     batch
    package func loss(
        _ batch: PairBatch, smoothing: Float, gradientScale: Float, trace: TransformerTrace, _ pass: Pass
    ) -> LossSums {
        let (encoded, memory, end) = forward(batch, trace: trace, pass), decoded = end!
        let (sums, gradient) = output.loss(
            decoded.y, labels: batch.labels, smoothing: smoothing, gradientScale: gradientScale, pass.of(.target))
        if let gradient {
            let learning = learningLayers(pass)
            // nobody reads it, where networks learn in the decoder alone
            let dmemory =
                pass.trainsTransformer || !learning.encoder.isEmpty
                ? pass.workspace.zeros(encoded.y.rows, encoded.y.columns) : nil
            backwardDecoder(
                batch.target, memory: memory, norm: decoded, dy: gradient, dmemory: dmemory, learning.decoder,
                trace: trace, pass.of(.target))
            if let dmemory {
                backwardEncoder(
                    batch.source, norm: encoded, dy: dmemory, learning.encoder, trace: trace, pass.of(.source))
            }
        }
        return sums
    }

    /// A teacher-forced pass through as many layers of each stack as `depth` says (nil: all); of none of the decoder's,
    /// that is left out. The activations are in `trace` and in what is returned until the workspace is reset.
    func forward(
        _ batch: PairBatch, to depth: PassDepth? = nil, trace: TransformerTrace, _ pass: Pass
    ) -> (encoder: LayerNorm.Tape, memory: EncoderOutput, decoder: LayerNorm.Tape?) {
        trace.removeAll()
        let depth = depth ?? PassDepth(of: configuration),
            encoded = encode(batch.source, layers: depth.encoder, trace: trace, pass),
            memory = EncoderOutput(x: encoded.y, sentences: batch.source)
        guard depth.decoder > 0 else { return (encoded, memory, nil) }
        return (encoded, memory, decode(batch.target, memory: memory, layers: depth.decoder, trace: trace, pass))
    }

    /// Layers of either stack that a gradient has to go through: none below the lowest that learns.
    private func learningLayers(_ pass: Pass) -> (encoder: Range<Int>, decoder: Range<Int>) {
        guard !pass.trainsTransformer else { return (encoder.indices, decoder.indices) }
        let inEncoder = encoder.firstIndex { $0.hasNetworks } ?? encoder.count
        // every layer of the decoder reads what the encoder says
        let inDecoder = inEncoder < encoder.count ? 0 : decoder.firstIndex { $0.hasNetworks } ?? decoder.count
        return (inEncoder..<encoder.count, inDecoder..<decoder.count)
    }

    /// Encoder output [source tokens, d], after so many of its layers.
    private func encode(
        _ sentences: Packed, layers: Int, trace: TransformerTrace, _ pass: Pass
    ) -> LayerNorm.Tape {
        let pass = pass.of(.source)
        var x = source.forward(sentences, positions: positions, pass)
        for layer in encoder.prefix(layers) {
            let tape = layer.forward(x, sentences, pass)
            trace.encoder.append(tape)
            x = tape.y
        }
        return encoderNorm.forward(x, pass)
    }

    private func backwardEncoder(
        _ sentences: Packed, norm: LayerNorm.Tape, dy: Matrix, _ layers: Range<Int>, trace: TransformerTrace,
        _ pass: Pass
    ) {
        let dx = pass.keep(dy.rows, dy.columns, if: pass.trainsTransformer)
        dx.fill(0)
        encoderNorm.backward(norm, dy: dy, dx: dx, pass)
        for index in layers.reversed() {
            encoder[index].backward(trace.encoder[index], sentences, dx: dx, pass)
        }
        source.backward(sentences, dy: dx, pass)
    }

    /// Decoder output [target tokens, d], after so many of its layers, before the output layer.
    private func decode(
        _ sentences: Packed, memory: EncoderOutput, layers: Int, trace: TransformerTrace, _ pass: Pass
    ) -> LayerNorm.Tape {
        let pass = pass.of(.target)
        var x = target.forward(sentences, positions: positions, pass)
        for layer in decoder.prefix(layers) {
            let tape = layer.forward(x, sentences, memory: memory, pass)
            trace.decoder.append(tape)
            x = tape.y
        }
        return decoderNorm.forward(x, pass)
    }

    private func backwardDecoder(
        _ sentences: Packed, memory: EncoderOutput, norm: LayerNorm.Tape, dy: Matrix, dmemory: Matrix?,
        _ layers: Range<Int>, trace: TransformerTrace, _ pass: Pass
    ) {
        let dx = pass.keep(dy.rows, dy.columns, if: pass.trainsTransformer)
        dx.fill(0)
        decoderNorm.backward(norm, dy: dy, dx: dx, pass)
        for index in layers.reversed() {
            decoder[index].backward(trace.decoder[index], sentences, memory: memory, dx: dx, dmemory: dmemory, pass)
        }
        target.backward(sentences, dy: dx, pass)
    }
}

extension Transformer {
    /// The k likeliest next tokens at each position of the targets, teacher-forced, with the logarithms of their
    /// probabilities at a temperature: [target tokens, k].
    package func likeliest(
        _ k: Int, _ batch: PairBatch, temperature: Float, trace: TransformerTrace, _ pass: Pass
    ) -> (ids: [Int32], logProbabilities: [Float]) {
        output.likeliest(k, forward(batch, trace: trace, pass).decoder!.y, temperature: temperature, pass)
    }

    /// Teacher-forced logits [target tokens, vocabulary], all at once: for tests and analyses of a few sentences.
    package func logits(_ batch: PairBatch, trace: TransformerTrace, _ pass: Pass) -> Matrix {
        output.logits(forward(batch, trace: trace, pass).decoder!.y, pass)
    }
}
