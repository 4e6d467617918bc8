import Foundation
import Processes
import Training

/// Parts of a run's work that the processes of a group do by themselves: the process of rank r does part r, then part
/// r + count, and so on.
///
/// All meet after every step of each, until the last is done. There the leader learns what the others have measured,
/// and all learn whether one was asked to stop or has failed, and end with it.
final class Division {
    /// What a process tells the others when they meet.
    struct News: Codable {
        struct Metric: Codable {
            let key: String
            let step: Int
            let value: Double
        }

        var metrics: [Metric] = []
        var hasResumed = false
        var failure: Failure?

        var isEmpty: Bool { metrics.isEmpty && !hasResumed && failure == nil }
    }

    private let group: ProcessGroup
    private let isAskedToStop: () -> Bool
    private let receive: (News) -> Void
    /// What the others have not heard yet.
    private var news = News()
    private var isStopping = false
    /// Of the first process that has failed.
    private var failure: Failure?

    /// - Parameters:
    ///   - isAskedToStop: whether this process is
    ///   - receive: in the leader, takes in what another process tells
    init(_ group: ProcessGroup, isAskedToStop: @escaping () -> Bool, receive: @escaping (News) -> Void) {
        self.group = group
        self.isAskedToStop = isAskedToStop
        self.receive = receive
    }

    /// To be told at the next meeting.
    func tell(_ change: (inout News) -> Void) { change(&news) }

    /// Meets the others between two steps of a part. Returns whether to stop.
    func meet() -> Bool {
        _ = meet(isWorking: true)
        return isStopping || failure != nil
    }

    /// Does this process's parts, and returns when those of all are done.
    ///
    /// - Throws: what `work` was the first to throw, here or in another process; `Interruption` where all were stopped
    func carryOut<Part>(_ parts: [Part], _ work: (Part) throws -> Void) throws {
        var error: Error?
        do {
            for number in stride(from: group.rank, to: parts.count, by: group.count) { try work(parts[number]) }
        } catch let own {
            error = own
            if !(own is Interruption) { news.failure = .inWords(own) }
        }
        while meet(isWorking: false) {}
        if let failure {
            group.sharesFailure = true
            throw FailureOfPart(failure)
        }
        if group.agreeToStop(error != nil) { throw error ?? Interruption(signal: Signals.received ?? SIGTERM) }
    }

    /// Returns whether anybody is still at work. News are of one program, so that they can be written and read.
    private func meet(isWorking: Bool) -> Bool {
        let text = news.isEmpty ? Data() : try! PropertyListEncoder().encode(news)
        news = News()
        var votes = [isWorking, isAskedToStop(), !text.isEmpty].map { $0 ? 1.0 : 0 }
        group.sum(&votes)
        isStopping = isStopping || votes[1] > 0
        for (rank, text) in (votes[2] > 0 ? group.gather(text) : []).enumerated() where !text.isEmpty {
            let told = try! PropertyListDecoder().decode(News.self, from: text)
            failure = failure ?? told.failure
            if group.leads, rank != group.rank { receive(told) }
        }
        return votes[0] > 0
    }
}

/// A process of the group has failed at a part, which all end with.
private struct FailureOfPart: StageError, CustomStringConvertible {
    let failure: Failure
    var description: String { failure.message }
    var hint: String? { failure.hint }
    var exitCode: Int32 { failure.exitCode }

    init(_ failure: Failure) { self.failure = failure }
}
