import Kernels

@testable import Models

/// A network that is there for translation alone and has no weights.
struct BoundNetwork: ContextNetwork {
    let bound: BoundContext
    let bounds: (source: Int?, target: Int?)

    init(_ bound: BoundContext, bounds: (source: Int?, target: Int?) = (nil, nil)) {
        (self.bound, self.bounds) = (bound, bounds)
    }

    func bind(_ weights: BoundWeights, output: OutputProjection?) -> BoundContext { bound }

    func forward(_ x: Matrix, _ sentences: Packed, memory: EncoderOutput?, _ pass: Pass) -> ContextTape {
        fatalError("it translates only")
    }
    func backward(
        _ tape: ContextTape, _ sentences: Packed, memory: EncoderOutput?, dcontext: Matrix, dx: Matrix?,
        dmemory: Matrix?, _ pass: Pass
    ) { fatalError("it translates only") }
}

extension SearchFixture {
    /// The model with something of the test's own in some attentions' places.
    func translationModel(
        _ replacing: (_ attention: Attention, _ layer: Int) -> (Span, BoundNetwork)?
    ) -> TranslationModel {
        let c = model.configuration
        let changed = Transformer(c, Replacements()) { attention, layer in
            guard let (span, network) = replacing(attention, layer) else {
                return ContextChoice(span: .heads, spec: nil) { MultiHeadAttention(c, attention, stream: $0, &$1) }
            }
            return ContextChoice(span: span, spec: nil) { _, _ in network }
        }
        let block = FloatBlock(changed.layout.count)
        block.take(weights, model.layout, for: changed.layout.slots)
        return TranslationModel(changed, weights: block)
    }
}
