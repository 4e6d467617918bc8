import Kernels
import Testing
import Training

func bits(_ block: FloatBlock) -> [UInt32] { block.buffer.map(\.bitPattern) }

/// Asks a training to stop after every few steps and goes on with another trainer, to the end. Returns how many it
/// took.
func runInPieces(
    of length: Int, ending didEndEpoch: @escaping (TrainingObserver.Epoch) -> Void = { _ in },
    _ trainer: (_ run: Int) throws -> Trainer
) throws -> Int {
    var runs = 0, outcome = Trainer.Outcome.interrupted
    while outcome == .interrupted {
        runs += 1
        try #require(runs < 10_000, "a training that does not go on")
        var observer = TrainingObserver(), steps = 0
        observer.didStep = { _ in steps += 1 }
        observer.didEndEpoch = didEndEpoch
        observer.stopRequested = { steps == length }
        outcome = try trainer(runs).run(observer)
    }
    return runs
}
