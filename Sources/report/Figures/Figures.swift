import Foundation
import Stages
import Tensors

/// All figures of a report, in the order of the page.
struct Figures {
    let plots: [Plot]

    init(_ evidence: Evidence) throws {
        plots =
            [
                try BLEUDifference(evidence).plot, try SingleLayers(evidence).plot,
                Tradeoff(evidence, .parameters).plot, Tradeoff(evidence, .speed).plot,
            ] + (try LearningCurves(evidence).plots) + (try Explained(evidence).plots) + (try Maps(evidence).plots)
            + Costs(evidence).plots
    }

    /// Draws them.
    ///
    /// - Parameters:
    ///   - isWanted: which of them
    ///   - path: where to write a file of this name
    func draw(where isWanted: (Figure) -> Bool = { _ in true }, path: (String) throws -> String) throws -> [Drawing] {
        try plots.compactMap { plot in
            switch plot {
            case .absent(let title, let reason): return .absent(title: title, reason: reason)
            case .figure(let figure):
                return isWanted(figure) ? .drawn(figure, svg: try draw(figure, path)) : nil
            }
        }
    }

    private func draw(_ figure: Figure, _ path: (String) throws -> String) throws -> SVG {
        let data = try path(figure.file), script = try path(figure.name + ".gp"),
            drawing = try path(figure.name + ".svg")
        try FileSystem.writeAtomically(Data(figure.data.text.utf8), to: data)
        try FileSystem.writeAtomically(Data(figure.script.utf8), to: script)
        try gnuplot(script)
        let svg = SVG(String(decoding: try FileSystem.read(drawing), as: UTF8.self), figure)
        try FileSystem.writeAtomically(Data(svg.file.utf8), to: drawing)
        return svg
    }

    private func gnuplot(_ script: String) throws {
        let process = Process(), messages = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gnuplot", FilePath.name(script)]
        process.currentDirectoryURL = URL(fileURLWithPath: FilePath.parent(script))
        process.standardInput = FileHandle.nullDevice
        process.standardError = messages
        try process.run()
        let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus != 127 else {
            throw DataError(
                path: "gnuplot", expected: "a program of this name", found: "none",
                hint: "make -f pipeline.mk deps, or apt-get install gnuplot-nox",
                kind: .missing)
        }
        guard process.terminationStatus == 0 else {
            let lines = text.split(separator: "\n").filter { !$0.allSatisfy { " ^".contains($0) } }
            throw DataError(path: script, expected: "a script that gnuplot draws", found: lines.joined(separator: "; "))
        }
    }
}
