import Foundation
import Kernels
import Models
import Tensors

/// Where a training stands, apart from weights and moments.
package struct TrainerState: Codable, Equatable, Sendable {
    /// Steps made.
    package var step = 0
    /// Epochs ended.
    package var epoch = 0
    /// Batches of the present epoch made.
    package var batch = 0
    package var sums = TrainingSums()
    package var stepsPerEpoch = 0
    package var bestLoss: Double?
    package var epochsSinceBest = 0
    package var snapshots: [Snapshot] = []
    /// Validation loss of the weights that training ended with.
    package var resultLoss: Double?
}

/// The file that lets a killed training go on: weights, both moments and the state, replaced as a whole.
struct Checkpoint {
    private static let name = "checkpoint.safetensors"
    private let path: String
    private let key: String
    private let layout: ParameterLayout

    init(folder: String, key: String, layout: ParameterLayout) {
        path = FilePath.join(folder, Self.name)
        self.key = key
        self.layout = layout
    }

    func write(_ state: TrainerState, weights: FloatBlock, adam: Adam) throws {
        let encoded = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
        let parts = parts(weights, adam)
        try WeightFile.write(
            parts, metadata: ["key": key, "state": encoded, "sha256": Self.digest(parts, encoded)], to: path)
    }

    /// Nil where there is none. One that is damaged or of other settings is refused: whoever lets it lie there takes it
    /// for its own.
    func read(weights: FloatBlock, adam: Adam) throws -> TrainerState? {
        guard try FileSystem.existsForCertain(path) else { return nil }
        do { return try load(weights, adam) } catch let error as DataError where error.kind == .bad {
            throw DataError(
                path: path, expected: error.expected, found: error.found, hint: "delete it to start from nothing")
        }
    }

    private func load(_ weights: FloatBlock, _ adam: Adam) throws -> TrainerState {
        let file = try TensorFile(path: path), found = file.metadata["key"]
        guard found == key, let text = file.metadata["state"] else {
            throw DataError(
                path: path, expected: "a checkpoint of key \(Identity.brief(key))",
                found: found == key ? "one without a state" : "one of \(found.map { Identity.brief($0) } ?? "none")")
        }
        let parts = parts(weights, adam)
        for part in parts {
            try WeightFile.read(file, part)
            file.releasePages()
        }
        let recorded = file.metadata["sha256"], digest = Self.digest(parts, text)
        guard recorded == digest else {
            throw DataError(
                path: path, expected: "what was written, SHA-256 \(Identity.brief(recorded))",
                found: "other bytes, \(Identity.brief(digest))")
        }
        return try JSONText.decode(
            TrainerState.self, Data(text.utf8), path: path, expected: "the state of a training")
    }

    /// SHA-256 of the state and of all numbers, in the order of the file.
    private static func digest(_ parts: [WeightFile.Part], _ state: String) -> String {
        let hash = SHA256()
        Data(state.utf8).withUnsafeBytes { hash.update($0) }
        for part in parts {
            for slot in part.slots {
                let values = UnsafeBufferPointer(start: part.block.base + slot.offset, count: slot.count)
                hash.update(UnsafeRawBufferPointer(values))
            }
        }
        return hash.finalize()
    }

    private func parts(_ weights: FloatBlock, _ adam: Adam) -> [WeightFile.Part] {
        [
            .init(weights, layout.slots), .init(adam.moment1, layout.slots, prefix: "moment1."),
            .init(adam.moment2, layout.slots, prefix: "moment2."),
        ]
    }
}

/// Weights at the end of an epoch.
package struct Snapshot: Codable, Equatable, Sendable {
    package let epoch: Int
    package let loss: Double
    /// SHA-256 of their file.
    package let sha256: String
}

/// The weights of the best epochs, one file each.
struct Snapshots {
    let folder: String
    let layout: ParameterLayout
    let kept: Int

    private func path(_ epoch: Int) -> String { FilePath.join(folder, "epoch-\(epoch).safetensors") }

    /// Keeps the weights if they are among the best so far, the first of those that are as good. Returns what they push
    /// out of the list, for `drop` when a checkpoint no longer lists it.
    func offer(epoch: Int, loss: Double, _ weights: FloatBlock, _ list: inout [Snapshot]) throws -> [Snapshot] {
        guard list.count(where: { $0.loss <= loss }) < kept else { return [] }
        try WeightFile.write([.init(weights, layout.slots)], to: path(epoch))
        let own = Snapshot(epoch: epoch, loss: loss, sha256: try FileSystem.sha256(of: path(epoch)))
        let ranked = (list + [own]).sorted { ($0.loss, $0.epoch) < ($1.loss, $1.epoch) }
        list = ranked.prefix(kept).sorted { $0.epoch < $1.epoch }
        return Array(ranked.dropFirst(kept))
    }

    func drop(_ snapshots: [Snapshot]) throws {
        for gone in snapshots { try FileSystem.remove(path(gone.epoch)) }
    }

    func read(_ snapshot: Snapshot, into weights: FloatBlock) throws {
        try check(snapshot)
        try WeightFile.read(TensorFile(path: path(snapshot.epoch)), .init(weights, layout.slots))
    }

    /// weights = mean of the snapshots, summed in double precision: what was not trained stays what it was, to the bit.
    func average(_ list: [Snapshot], into weights: FloatBlock) throws {
        for snapshot in list { try check(snapshot) }
        let files = try list.map { try TensorFile(path: path($0.epoch)) }
        for slot in layout.slots {
            let values = try files.map { try WeightFile.view($0, slot) }
            for i in 0..<slot.count {
                var sum = 0.0
                for file in values { sum += Double(file[i]) }
                weights.base[slot.offset + i] = Float(sum / Double(list.count))
            }
            files.forEach { $0.releasePages() }
        }
    }

    /// Whether its weights are there, as they were written.
    func check(_ snapshot: Snapshot) throws {
        let path = path(snapshot.epoch)
        let found = try FileSystem.existsForCertain(path) ? FileSystem.sha256(of: path) : "no file"
        guard snapshot.sha256 == found else {
            throw DataError(
                path: path, expected: "SHA-256 \(snapshot.sha256)", found: found,
                hint: "delete \(folder) to start from nothing")
        }
    }
}
