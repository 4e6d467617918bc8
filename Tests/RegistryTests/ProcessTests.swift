import Foundation
import Testing

@testable import Registry

/// Each body below runs in a process of its own.
@Suite struct ProcessTests {
    @Test func severalProcessesOpenAndWriteAtOnce() async throws {
        let scratch = Scratch()
        await withTaskGroup(of: Void.self) { group in
            for process in 0..<4 {
                group.addTask { [path = scratch.path] in
                    await #expect(processExitsWith: .success) { [path = path as String, process = process as Int] in
                        let registry = try RunRegistry(path: path)
                        for run in 0..<5 {
                            let live = try registry.start(
                                describe("train", name: "p\(process)r\(run)"), rhythm: .init(flush: 0.01)
                            ) { fatalError($0) }
                            for step in 0..<200 {
                                live.metric("loss", step: step, Double(step))
                                if step % 50 == 0 { usleep(5000) }
                            }
                            live.output("train", artifact("\(process)", kind: "train"))
                            live.end(finished)
                        }
                    }
                }
            }
        }
        let registry = try scratch.open()
        #expect(
            try registry.rows("SELECT status, count(*), count(DISTINCT name) FROM runs GROUP BY status") == [
                ["finished", "20", "20"]
            ])
        #expect(try registry.rows("SELECT count(*), sum(value) FROM metrics") == [["4000", "398000.0"]])
        #expect(try registry.rows("PRAGMA integrity_check") == [["ok"]])
    }

    @Test func processKilledWhileItWritesIsFoundLostAndLeavesTheRegistryWhole() async throws {
        let scratch = Scratch()
        for attempt in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = scratch.path as String, attempt = attempt as Int] in
                let registry = try RunRegistry(path: path)
                let live = try registry.start(describe("train"), rhythm: .init(flush: 0.001, heartbeat: 0.001)) { _ in }
                DispatchQueue.global().asyncAfter(deadline: .now() + 0.2 + Double(attempt) * 0.013) {
                    kill(getpid(), SIGKILL)
                }
                for step in 0... { live.metric("loss", step: step, 1) }
            }
        }
        let registry = try scratch.open()
        try registry.record(describe("train"))
        #expect(
            try registry.rows("SELECT status, count(*) FROM runs GROUP BY status") == [
                ["finished", "1"], ["lost", "3"],
            ])
        #expect(try registry.rows("PRAGMA integrity_check") == [["ok"]])
    }
}
