import Foundation
import Processes
import Tensors

// How the processes of a group begin and end a stage together. The first, which leads, looks whether there is work and
// says so; before that, the others have done nothing.
extension StageRun {
    static var group: ProcessGroup { .shared }

    /// Whether there is work, once the leader has said so.
    private static var call: Bool?

    /// Whether the processes of the group work together by now.
    static var isAtWork: Bool { call == true }

    /// In the leader: tells the others the key of their work, or that there is none. The first word counts.
    static func callToWork(_ key: String?) {
        guard group.leads, call == nil else { return }
        call = key != nil
        _ = group.broadcast(Data((key ?? "").utf8))
    }

    /// In the others: the key of their work, if there is any.
    private static func hearCall() -> String? {
        guard !group.leads, call == nil else { return nil }
        let key = String(decoding: group.broadcast(Data()), as: UTF8.self)
        call = !key.isEmpty
        return isAtWork ? key : nil
    }

    /// Whether the others wait for a process that has failed, before the call or at work.
    static func isMissed() -> Bool {
        _ = hearCall()
        return isAtWork
    }

    /// In a process that does not lead: works along, where there is work, with a folder and a registry of its own that
    /// nobody reads.
    static func follow<Value>(
        _ options: StageOptions, _ work: (_ options: StageOptions, _ output: String, _ key: String) throws -> Value?
    ) throws -> Value? {
        guard let key = hearCall() else { return nil }
        let folder = NSTemporaryDirectory() + "follower-\(UUID().uuidString)"
        defer { remove(folder) }
        let own = try StageOptions.parse([
            "--quiet", "--registry", folder + "/registry.sqlite", "--threads", "\(options.threadCount)",
        ])
        try FileSystem.makeFolder(folder)
        return try work(own, folder + "/output", key)
    }

    /// Removes a folder in which a registry is about to be closed, so that files may go from it meanwhile.
    private static func remove(_ folder: String) {
        for _ in 0..<100 {
            try? FileManager.default.removeItem(atPath: folder)
            guard FileSystem.exists(folder) else { return }
            usleep(10_000)
        }
    }
}

/// A process was given other settings, or finds other inputs, than the first of its group.
struct OtherWork: StageError, CustomStringConvertible {
    let rank: Int
    let exitCode: Int32 = EX_DATAERR
    var description: String {
        "process \(rank), on \(ProcessInfo.processInfo.hostName): expected the settings and inputs of process 0, "
            + "found others"
    }
    var hint: String? { "give all processes the same command, on machines that see the same files" }
}
