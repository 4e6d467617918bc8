import Kernels

/// Where in a layer activations can be looked at.
enum ActivationPoint {
    /// Of the layer.
    case input
    /// LayerNorm of the sublayer's input.
    case normed
    /// Concatenated heads, or what a network puts out for them; not there where the output projection is part of the network.
    case context
    /// x + attention of LayerNorm(x).
    case attended
    /// Of the layer.
    case output
}

/// Is shown [rows, d] at each point that a layer passes.
typealias ActivationWatch = (ActivationPoint, Matrix) -> Void

extension Mode {
    /// Where what a replacement takes in and puts out is found.
    var points: (input: ActivationPoint, output: ActivationPoint) {
        switch self {
        case .alr, .aslr: (.normed, .context)
        case .alrr: (.input, .attended)
        case .elr: (.input, .output)
        }
    }
}

/// Keeps what chosen attentions take in and put out while a batch goes through a model piece by piece. Row i of what is
/// kept is token i of the batch, whatever the pieces.
final class ActivationRecorder {
    private let sites: [CaptureSite]
    private var kept: [CaptureSite: Activations] = [:]
    private var targetOffsets: [Int] = []
    private let space = Workspace()
    /// Decoder layers that have to run for the sites to be seen.
    let decoderLayers: Int

    init(_ sites: [CaptureSite]) {
        self.sites = sites
        decoderLayers = sites.lazy.filter { $0.attention != .encoder }.map { $0.layer + 1 }.max() ?? 0
    }

    /// A new batch; whatever was kept is forgotten.
    func begin(_ batch: PairBatch, width: Int) {
        space.reset()
        targetOffsets = batch.target.offsets
        for site in sites {
            let tokens = site.attention == .encoder ? batch.source.tokens : batch.target.tokens
            kept[site] = Activations(input: space.matrix(tokens, width), output: space.matrix(tokens, width))
        }
    }

    /// Of a site of `sites`, complete when the batch is done and valid until the next: [tokens, d] each.
    func activations(_ site: CaptureSite) -> Activations {
        guard let activations = kept[site] else { fatalError("\(site) is not watched") }
        return activations
    }

    /// For some sentences' pass through an encoder layer, the first of whose tokens is token `first` of the batch. Nil where
    /// there is no site.
    func watch(encoder layer: Int, from first: Int) -> ActivationWatch? {
        watch(.encoder, layer) { first + $0 }
    }

    /// For a step through a sublayer of the decoder, sentence s in slot s.
    func watch(_ attention: Attention, _ layer: Int, _ rows: StepRows) -> ActivationWatch? {
        watch(attention, layer) { [targetOffsets] in targetOffsets[Int(rows.slots[$0])] + rows.position }
    }

    /// - Parameter token: the token of the batch that a row belongs to
    private func watch(_ attention: Attention, _ layer: Int, token: @escaping (_ row: Int) -> Int) -> ActivationWatch? {
        let watched = sites.filter { $0.attention == attention && $0.layer == layer }
        guard !watched.isEmpty else { return nil }
        return { [self] point, x in
            func keep(_ y: Matrix) {
                for row in 0..<x.rows { y.row(token(row)).update(from: x.row(row), count: x.columns) }
            }
            for site in watched {
                let points = site.mode.points, activations = activations(site)
                if point == points.input { keep(activations.input) }
                if point == points.output { keep(activations.output) }
            }
        }
    }
}
