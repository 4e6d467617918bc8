import Testing

@testable import Training

struct MetricKeyTests {
    @Test(arguments: [
        ("layer.3.valid.cosine.12", MetricKey(.valid, .cosine, position: 12, layer: 3)),
        ("valid.nll", MetricKey(.valid, .nll)),
        ("layer.0.train.tokens_per_second", MetricKey(.train, .tokensPerSecond, layer: 0)),
        ("tokens_per_second", MetricKey(nil, .tokensPerSecond)),
        ("result.loss", MetricKey(.result, .loss)), ("bytes", MetricKey(nil, .bytes)),
    ])
    func theTextIsComposedAndReadBack(_ text: String, _ key: MetricKey) {
        #expect(key.description == text)
        #expect(MetricKey(text) == key)
    }

    @Test func everyKeyIsReadBack() {
        for layer in [nil, 0, 11] {
            for split in [nil] + MetricKey.Split.allCases.map(Optional.some) {
                for quantity in MetricKey.Quantity.allCases {
                    for position in [nil, 0, 49] {
                        let key = MetricKey(split, quantity, position: position, layer: layer)
                        #expect(MetricKey(key.description) == key, "\(key)")
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "", "valid", "layer.3", "layer.x.loss", "valid.cosine.", "valid.cosine.1.2", "valid.cosine.01",
        "kernels.softmax", "loss.valid",
    ])
    func otherTextsAreNoKeys(_ text: String) { #expect(MetricKey(text) == nil) }
}
