import Kernels
import Tensors

/// The loss of a batch and its gradient, on any number of threads: see `TiledGradient`. No bit of the loss depends on
/// the number of threads or on how tiles are cut either, since a token's loss is a multiple of 2^-26.
package final class BatchGradient {
    private let model: Transformer
    private let matching: ContextMatching?
    private let gradients: TiledGradient
    private let states: [ThreadState]

    private final class ThreadState {
        let trace = TransformerTrace()
        let teacherTrace = TransformerTrace()
        var sums = LossSums()

        func add(_ more: LossSums) { sums = sums + more }
    }

    /// - Parameters:
    ///   - trained: tensors whose gradient is asked for
    ///   - matching: adds to the loss of `run`
    package init(
        _ model: Transformer, weights: FloatBlock, trained: [Slot], trainsTransformer: Bool = true,
        cut: BatchCut = BatchCut(), matching: ContextMatching? = nil, pool: WorkerPool
    ) {
        self.model = model
        self.matching = matching
        gradients = TiledGradient(weights, cut: cut, trainsTransformer: trainsTransformer, pool: pool)
        states = (0..<pool.threads).map { _ in ThreadState() }
        var pair = PairBatch()
        pair.append(source: [SpecialToken.end], target: [])
        gradients.measure(pair, trained) { work in
            _ = model.loss(work.tile.batch, smoothing: 0, gradientScale: 1, trace: states[0].trace, work.pass)
        }
    }

    /// The most threads that can differentiate a batch; nil where there is no such number.
    package var mostThreads: Int? { gradients.mostThreads }

    /// To be called whenever the weights have changed.
    package func weightsHaveChanged() { gradients.weightsHaveChanged() }

    /// Thread-seconds by phase, from when it was switched on.
    package var timers: [PhaseTimer] { gradients.timers }
    package func switchOnPhaseTimers() { gradients.switchOnPhaseTimers() }

    /// The summed loss of all sentences, forward only.
    package func loss(_ batch: PairBatch, smoothing: Float) -> LossSums {
        gradients.forward(batch) { work in
            let state = states[work.worker]
            state.add(
                model.loss(work.tile.batch, smoothing: smoothing, gradientScale: 0, trace: state.trace, work.pass))
        }
        return takeSums()
    }

    /// The summed loss of some sentences, or all, whose gradient times `scale` becomes that of the trained tensors.
    package func run(
        _ batch: PairBatch, sentences: Range<Int>? = nil, smoothing: Float, scale: Float, randomness: Randomness,
        into gradient: FloatBlock
    ) -> LossSums {
        gradients.run(batch, sentences ?? 0..<batch.source.sentences, randomness: randomness, into: gradient) { work in
            let state = states[work.worker]
            var pass = work.pass
            pass.matched = matching?.contexts(
                of: work.tile.batch, gradientScale: scale, state.teacherTrace, pass.workspace, timer: pass.timer)
            var sums = model.loss(
                work.tile.batch, smoothing: smoothing, gradientScale: scale, trace: state.trace, pass)
            sums.loss += pass.matched?.loss ?? 0
            state.add(sums)
        }
        return takeSums()
    }

    /// What the threads have added up since the last time.
    private func takeSums() -> LossSums {
        defer { for state in states { state.sums = LossSums() } }
        return states.reduce(LossSums()) { $0 + $1.sums }
    }
}
