import Foundation
import Logging
import Testing

@testable import Stages

/// Collects what a terminal is sent.
private final class Screen {
    var text = ""
    var time = 100.0
    func terminal(interactive: Bool, color: Bool = false, width: Int = 200) -> Terminal {
        Terminal(isInteractive: interactive, hasColor: color, width: { width }) { self.text += $0 }
    }
    func progress(_ terminal: Terminal?, total: Int? = 1000, start: Int = 0) -> ProgressDisplay {
        ProgressDisplay("train", total: total, unit: "steps", start: start, terminal: terminal, now: { self.time })
    }
}

@Suite struct ProgressTests {
    private let screen = Screen()

    @Test func withoutATerminalALineNowAndThen() {
        let progress = screen.progress(screen.terminal(interactive: false, color: true))
        for step in 1...1000 {
            screen.time += 0.025
            progress.update(step, note: "loss 1.5")
        }
        progress.finish(1000, note: "loss 1.5")
        #expect(
            screen.text == """
                train: 400/1,000 steps (40%), 40 steps/s, ETA 0:15, loss 1.5
                train: 800/1,000 steps (80%), 40 steps/s, ETA 5.0s, loss 1.5
                train: 1,000 steps in 0:25, 40 steps/s, loss 1.5

                """)
    }

    @Test func onATerminalOneLineAtMostTenTimesASecond() {
        let progress = screen.progress(screen.terminal(interactive: true))
        for step in 1...1000 {
            screen.time += 0.001
            progress.update(step)
        }
        let frames = screen.text.components(separatedBy: "\r\u{1B}[K").dropFirst()
        #expect(frames.count == 10)
        #expect(frames.last == "train  [#####################---]  901/1,000 steps (90%)  1,000 steps/s  ETA 0.1s")
        #expect(!screen.text.contains("\n"))
        progress.finish(1000)
        #expect(screen.text.hasSuffix("\r\u{1B}[Ktrain: 1,000 steps in 1.0s, 1,000 steps/s\n"))
    }

    @Test func barFitsTheTerminalAndKeepsColorsOnlyIfAllowed() {
        screen.progress(screen.terminal(interactive: true, width: 20)).update(1)
        #expect(screen.text == "\r\u{1B}[Ktrain  [-----------")
        screen.text = ""
        screen.progress(screen.terminal(interactive: true, color: true, width: 20)).update(1)
        #expect(screen.text == "\r\u{1B}[K\u{1B}[36mtrain  [-----------\u{1B}[0m")
    }

    @Test func resumedLoopIsNotCreditedWithEarlierWork() {
        let progress = screen.progress(screen.terminal(interactive: false), start: 900)
        screen.time += 20
        progress.update(950)
        #expect(screen.text == "train: 950/1,000 steps (95%), 2.5 steps/s, ETA 0:20\n")
    }

    @Test func unknownTotalAndQuiet() {
        let progress = screen.progress(screen.terminal(interactive: false), total: nil)
        screen.time += 10
        progress.update(50)
        #expect(screen.text == "train: 50 steps, 5 steps/s\n")
        screen.text = ""
        let quiet = screen.progress(nil)
        screen.time += 10
        quiet.update(50)
        quiet.finish(50)
        #expect(screen.text == "")
    }

    @Test func whatIsFinishedIsNoPartOfAnything() {
        let progress = screen.progress(screen.terminal(interactive: false))
        screen.time += 10
        progress.finish(999)
        #expect(screen.text == "train: 999 steps in 0:10, 99.9 steps/s\n")
    }

    @Test func noteIsOnlyMadeWhenItIsShown() {
        let progress = screen.progress(screen.terminal(interactive: false))
        var made = 0
        func note() -> String {
            made += 1
            return "n"
        }
        for step in 1...100 { progress.update(step, note: note()) }
        #expect(made == 0)
    }

    @Test func messagesGoAboveTheBar() {
        let terminal = screen.terminal(interactive: true)
        terminal.drawBar("bar")
        terminal.line("message")
        #expect(screen.text == "\r\u{1B}[Kbar\r\u{1B}[Kmessage\nbar")
    }
}

@Suite struct LogTests {
    @Test func messagesAreLinesAndQuietLeavesWarnings() {
        let screen = Screen()
        let log = StageLog.logger("train", quiet: false, terminal: screen.terminal(interactive: false))
        log.info("epoch 1", metadata: ["loss": "2.5"])
        log.warning("no registry")
        log.debug("hidden")
        StageLog.logger("train", quiet: true, terminal: screen.terminal(interactive: false)).info("hidden")
        #expect(screen.text == "train: epoch 1 loss=2.5\ntrain: warning: no registry\n")
    }
}

@Suite struct TextTests {
    @Test func numbers() {
        #expect(
            [0, 7, 999, 1000, 1_234_567, -1000].map(Format.count) == ["0", "7", "999", "1,000", "1,234,567", "-1,000"])
        #expect([0, 0.01234, 12.34, 8012.4].map(Format.rate) == ["0", "0.0123", "12.3", "8,012"])
        #expect(
            [0, 9.94, 9.96, 185, 3599.6, 3723].map(Format.duration) == [
                "0.0s", "9.9s", "0:10", "3:05", "1:00:00", "1:02:03",
            ])
        #expect([0, 1023, 1536, 5 << 30].map(Format.bytes) == ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"])
        #expect(Format.duration(.infinity) == "?")
    }

    @Test func tableIsAligned() {
        var table = Table(.left("layer"), .right("parameters"), .right("error"))
        table.add("0", "5,237,728", "0.62")
        table.add("encoder.11", "1")
        #expect(
            "\(table)" == """
                layer       parameters  error
                0            5,237,728   0.62
                encoder.11           1
                """)
        #expect("\(Table(.left("a"), .left("b")))" == "a  b")
    }
}
