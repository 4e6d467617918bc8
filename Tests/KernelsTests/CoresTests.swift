import Foundation
import TestSupport
import Testing

@testable import Kernels

struct CoresTests {
    /// What a process is told under a root of its own.
    private func quota(_ files: [String: String]) throws -> Int? {
        let root = TemporaryFolder("cores")
        for (path, text) in files { try root.write(text, path) }
        return Cores.quota(root: root.path)
    }

    @Test func quotaOfTheGroupOrOfOneAboveIt() throws {
        let own = ["proc/self/cgroup": "0::/jobs/a\n"], files = "sys/fs/cgroup"
        #expect(try quota(own) == nil)
        #expect(try quota([:]) == nil)
        #expect(try quota(own.merging(["\(files)/jobs/a/cpu.max": "max 100000\n"]) { $1 }) == nil)
        #expect(try quota(own.merging(["\(files)/jobs/a/cpu.max": "150000 100000\n"]) { $1 }) == 2)
        #expect(try quota(own.merging(["\(files)/jobs/a/cpu.max": "20000 100000\n"]) { $1 }) == 1)
        let nested = ["\(files)/jobs/a/cpu.max": "800000 100000\n", "\(files)/jobs/cpu.max": "300000 100000\n"]
        #expect(try quota(own.merging(nested) { $1 }) == 3)
        #expect(try quota(own.merging(["\(files)/jobs/b/cpu.max": "100000 100000\n"]) { $1 }) == nil)
        #expect(try quota(own.merging(["\(files)/cpu.max": "400000 100000\n"]) { $1 }) == 4)
    }

    @Test func quotaOfVersion1() throws {
        let own = ["proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/docker/x\n"], files = "sys/fs/cgroup/cpu,cpuacct"
        func limits(_ quota: Int, _ folder: String) -> [String: String] {
            ["\(folder)/cpu.cfs_quota_us": "\(quota)\n", "\(folder)/cpu.cfs_period_us": "100000\n"]
        }
        #expect(try quota(own.merging(limits(-1, files + "/docker/x")) { $1 }) == nil)
        #expect(try quota(own.merging(limits(250_000, files + "/docker/x")) { $1 }) == 3)
        #expect(try quota(own.merging(limits(600_000, files)) { $1 }) == 6)
    }

    @Test func thereIsACore() {
        #expect(Cores.allowed >= 1 && Cores.allowed <= Cores.scheduled)
        #expect(Cores.scheduled >= 1 && Cores.scheduled <= ProcessInfo.processInfo.activeProcessorCount)
    }
}
