import Foundation
import Kernels
import Registry

/// Facts about the machine, the checkout and the process that a run records.
package enum ThisMachine {
    package static func describe() -> Machine {
        Machine(
            host: ProcessInfo.processInfo.hostName, bootID: line("/proc/sys/kernel/random/boot_id") ?? "unknown",
            pid: getpid(), blas: ProductKernels.level, cpu: processor)
    }

    /// User and system time of all threads, in seconds.
    static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    private static var peakBeforeReset = 0

    /// The most memory the process has held since it began.
    static var highestResidentBytes: Int { max(peakBeforeReset, peakResidentBytes) }

    /// The most memory the process has held so far (`VmHWM`), or since it was reset, in bytes.
    package static var peakResidentBytes: Int { memory("VmHWM") }

    /// Address space that the process has taken, in bytes.
    static var addressSpace: Int { memory("VmSize") }

    /// Counts `peakResidentBytes` anew from what is held now, for measurements.
    package static func resetPeakResidentBytes() {
        peakBeforeReset = max(peakBeforeReset, peakResidentBytes)
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    /// The processor's name.
    package static var processor: String { field("model name", in: "/proc/cpuinfo") ?? "unknown" }

    /// Processes that wanted a core, on average over the last minute.
    package static var load: Double? {
        line("/proc/loadavg").flatMap { $0.split(separator: " ").first }.flatMap { Double($0) }
    }

    /// The commit of the current folder's checkout; nil outside one, or where git is not installed.
    static func gitState() -> GitState? {
        let command =
            "git --no-optional-locks status --porcelain=v2 --branch --untracked-files=no < /dev/null 2> /dev/null"
        // Foundation's Process would start threads for this
        guard let git = popen(command, "r") else { return nil }
        var bytes: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, git), count > 0 { bytes += piece[..<count] }
        let status = pclose(git), text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n")
        let mark = "# branch.oid "
        guard status == 0, let commit = lines.first(where: { $0.hasPrefix(mark) }) else { return nil }
        return GitState(commit: String(commit.dropFirst(mark.count)), isDirty: lines.contains { !$0.hasPrefix("#") })
    }

    /// A number of bytes that the kernel tells of the process, in `name: 1234 kB`; 0 where it does not.
    private static func memory(_ name: String) -> Int {
        let text = field(name, in: "/proc/self/status") ?? ""
        return (Int(text.prefix { $0 != " " }) ?? 0) * 1024
    }

    private static func line(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The value of the first line `name : value`.
    private static func field(_ name: String, in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let colon = line.firstIndex(of: ":")
        else { return nil }
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
}
