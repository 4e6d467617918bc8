import Foundation
import Testing

@testable import report

/// What gnuplot makes of what is written for it.
struct GnuplotTests {
    /// Tokens of all kinds of text come out as they are: apostrophes, quotes, and what would be a command.
    @Test(arguments: [
        "'", "''", "'a", "a'", "d'accord", "l'", "\"", "'\"'", "\\n'", "\\", "`date`", "'`date`", "é_{2}'", "%'", "",
    ])
    func stringsAreRead(_ text: String) throws {
        let process = Process(), input = Pipe(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gnuplot"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        input.fileHandleForWriting.write(Data("set print '-'\nprint \(Gnuplot.quote(text))\n".utf8))
        try input.fileHandleForWriting.close()
        let found = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && found == text + "\n")
    }
}
