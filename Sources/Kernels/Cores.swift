import CKernels
import Foundation

/// How many cores there are to work on.
package enum Cores {
    /// Cores that this process may really use: those that it may be scheduled on, or fewer where a control group that
    /// it is in has a quota.
    package static let allowed = max(1, min(scheduled, quota(root: "/") ?? .max))

    /// Cores of the affinity mask that are there: `taskset` and batch systems restrict it, and a virtual machine may
    /// have places for more than it has.
    static var scheduled: Int {
        let cores = scheduled_cores()
        return cores > 0 ? cores : ProcessInfo.processInfo.activeProcessorCount
    }

    /// The least quota of processor time of this process's control groups, in cores, rounded up; nil where there is
    /// none.
    ///
    /// - Parameter root: where `proc` and `sys` are
    static func quota(root: String) -> Int? {
        let lines = (text(root + "/proc/self/cgroup") ?? "").split(separator: "\n")
        let quotas = lines.flatMap { line -> [Double] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { return [] }
            if fields[0] == "0" {  // version 2
                return foldersAbove(root + "/sys/fs/cgroup", fields[2]).compactMap { version2($0) }
            }
            guard fields[1].split(separator: ",").contains("cpu") else { return [] }
            return [fields[1], "cpu", "cpu,cpuacct"].flatMap {
                foldersAbove(root + "/sys/fs/cgroup/" + $0, fields[2]).compactMap { version1($0) }
            }
        }
        return quotas.min().map { max(1, Int($0.rounded(.up))) }
    }

    /// A group's folder and those above it: limits of all of them hold. Within a container the path may be that
    /// outside.
    private static func foldersAbove(_ mount: String, _ path: String) -> [String] {
        var parts = path.split(separator: "/"), folders = [mount]
        while !parts.isEmpty {
            folders.append(mount + "/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        return folders
    }

    /// `max 100000` or `150000 100000`: microseconds of processor time in a period.
    private static func version2(_ folder: String) -> Double? {
        let numbers = (text(folder + "/cpu.max") ?? "").split { $0.isWhitespace }.compactMap { Double($0) }
        return numbers.count == 2 && numbers[1] > 0 ? numbers[0] / numbers[1] : nil
    }

    private static func version1(_ folder: String) -> Double? {
        let numbers = ["quota", "period"].compactMap { text(folder + "/cpu.cfs_\($0)_us") }
            .compactMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        return numbers.count == 2 && numbers[0] > 0 && numbers[1] > 0 ? numbers[0] / numbers[1] : nil
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
