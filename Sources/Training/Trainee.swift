import CKernels
import Kernels
import Models

/// What a `Trainer` trains: weights, data and how to make one step on them. Transformers and replacements are trainees.
package protocol Trainee: AnyObject {
    var layout: ParameterLayout { get }
    var weights: FloatBlock { get }

    /// Puts the data into the order of this epoch, which depends on (seed, epoch) alone; returns the number of batches.
    func begin(epoch: Int) -> Int
    /// Gradient of a batch and update of the weights. `step` counts from 1 over all epochs.
    /// What it throws it throws before the weights have changed.
    func step(batch: Int, step: Int, rate: Float, adam: Adam) throws -> TrainingSums
    /// Sentences of the validation set. Without any, nothing is measured and the last weights are the result.
    var validationSentences: Int { get }
    /// Measures the weights on the validation set, which must not be empty: a mean over nothing is no measurement.
    ///
    /// - Parameter epoch: that has just ended; nil for weights of no epoch
    func validate(epoch: Int?) throws -> Validation

    /// Calls `body` while this process has all of Adam's moments, where several share them. To be called by all.
    func withAllMoments(_ adam: Adam, _ body: () throws -> Void) rethrows
    /// Gives up moments that are other processes'.
    func keepOwnMoments(_ adam: Adam)
}

extension Trainee {
    package func withAllMoments(_ adam: Adam, _ body: () throws -> Void) rethrows { try body() }
    package func keepOwnMoments(_ adam: Adam) {}
}

/// Sums over a batch: mean loss is `loss / units`.
package struct TrainingSums: Codable, Equatable, Sendable {
    package var loss: Double
    /// What the loss is averaged over: target tokens of a Transformer, real tokens of a replacement.
    package var units: Double

    package init(loss: Double = 0, units: Double = 0) {
        self.loss = loss
        self.units = units
    }

    package static func += (a: inout TrainingSums, b: TrainingSums) {
        a.loss += b.loss
        a.units += b.units
    }

    package var mean: Double { units > 0 ? loss / units : 0 }
}

package struct Validation: Sendable {
    /// What early stopping and the choice of epochs go by; of a model with a teacher its smoothed cross-entropy alone,
    /// against the teacher's translations where it learns these.
    package var loss: Double
    /// Further figures.
    package var metrics: [MetricKey: Double]

    package init(loss: Double, metrics: [MetricKey: Double] = [:]) {
        self.loss = loss
        self.metrics = metrics
    }
}
