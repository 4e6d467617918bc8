import Foundation
import Models
import Stages
import Tensors

/// Chooses which attentions to replace, and by what: place by place, while BLEU of the validation set stays within a
/// bound of the model's own.
///
/// Every network is tried alone first; what it then costs sets the order of the places, the cheapest first. At each
/// place the networks for it are tried from the smallest on beside all that was kept before, and the first with which
/// the model is within the bound is kept. Where none is, the attention stays. A greedy search: at most 2c translations
/// of the validation set for c networks, not 2^c.
struct GreedyChoice {
    struct Candidate: Encodable {
        let spec: Spec
        /// Numbers of the network.
        let parameters: Int
        /// BLEU with this network alone.
        var alone = 0.0
        /// BLEU with it and all that were kept before; nil: not tried, since a smaller one was kept.
        var together: Double?
        var isKept = false
    }

    /// BLEU of the model as it was.
    private(set) var base = 0.0
    /// In the order in which they were tried together.
    private(set) var candidates: [Candidate]
    /// Most BLEU that all kept networks together may cost.
    let bound: Double

    var kept: [Spec] { candidates.filter(\.isKept).map(\.spec) }

    init(_ specs: [(spec: Spec, parameters: Int)], bound: Double) {
        candidates = specs.map { Candidate(spec: $0.spec, parameters: $0.parameters) }
        self.bound = bound
    }

    /// - Parameter bleu: of the model with these networks
    mutating func choose(bleu: ([Spec]) throws -> Double) rethrows {
        base = try bleu([])
        for index in candidates.indices { candidates[index].alone = try bleu([candidates[index].spec]) }
        candidates = places().sorted { Self.best($0) > Self.best($1) }.flatMap { place in
            place.sorted { ($0.parameters, -$0.alone) < ($1.parameters, -$1.alone) }
        }
        for index in candidates.indices where !kept.contains(where: { $0.overlaps(candidates[index].spec) }) {
            let together = kept.isEmpty ? candidates[index].alone : try bleu(kept + [candidates[index].spec])
            candidates[index].together = together
            candidates[index].isKept = together >= base - bound
        }
    }

    /// Networks that exclude each other, in the order in which they were given.
    private func places() -> [[Candidate]] {
        candidates.reduce(into: []) { places, candidate in
            if let place = places.firstIndex(where: { $0[0].spec.overlaps(candidate.spec) }) {
                places[place].append(candidate)
            } else {
                places.append([candidate])
            }
        }
    }

    private static func best(_ place: [Candidate]) -> Double { place.map(\.alone).max() ?? 0 }
}

// MARK: - What is said of it

extension GreedyChoice {
    var table: Table {
        var table = Table(.left("network"), .right("parameters"), .right("alone"), .right("together"), .left("kept"))
        for candidate in candidates {
            table.add(
                "\(candidate.spec)", Format.count(candidate.parameters), Format.difference(candidate.alone - base),
                candidate.together.map { Format.difference($0 - base) } ?? "", candidate.isKept ? "yes" : "no")
        }
        return table
    }

    func record(_ run: StageRun) throws {
        run.metric("base", base)
        for candidate in candidates {
            run.metric("alone.\(candidate.spec)", candidate.alone)
            if let together = candidate.together { run.metric("together.\(candidate.spec)", together) }
        }
        try FileSystem.writeAtomically(
            JSONText.encode(Report(bleu: base, bound: bound, candidates: candidates)),
            to: run.folder.path("choice.json"))
    }

    private struct Report: Encodable {
        let bleu: Double
        let bound: Double
        let candidates: [Candidate]
    }
}
