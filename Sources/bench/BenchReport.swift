import Foundation
import Kernels
import Stages
import Tensors

/// One figure, with what it is a fraction of.
struct Measurement: Codable {
    let part: Part
    let name: String
    let threads: Int
    let value: Double
    let unit: String
    /// Of the limit that bounds it, multiply-adds or memory, measured in the same run with as many threads.
    var fraction: Double?
    var bound: Bound?
    var note: String?

    enum Bound: String, Codable { case float32, int8, memory }

    /// Name in the registry: `bench.training.teacher.2`.
    var key: String { "bench.\(part.rawValue).\(name.replacingOccurrences(of: " ", with: "-")).\(threads)" }
}

struct BenchReport: Codable {
    static let fileName = "report.json"

    let machine: String
    let cores: Int
    let load: Double?
    let sentences: String
    var measurements: [Measurement] = []

    func write(to path: String) throws {
        try FileSystem.writeAtomically(try JSONText.encode(self), to: path)
    }

    var text: String {
        var table = Table(
            .left("part"), .left("what"), .right("threads"), .right("value"), .left("unit"), .right("of the peak"),
            .left(""))
        for m in measurements {
            table.add(
                m.part.rawValue, m.name, "\(m.threads)", Self.figure(m.value), m.unit,
                m.fraction.map { String(format: "%.0f%% of %@", 100 * $0, m.bound?.rawValue ?? "") } ?? "", m.note ?? ""
            )
        }
        let load = load.map { String(format: "%.1f", $0) } ?? "unknown"
        return "\(machine), \(cores) cores, load \(load) at the start; \(sentences)\n\n\(table)"
    }

    private static func figure(_ value: Double) -> String {
        value >= 1000
            ? Format.rate(value) : String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value)
    }
}

/// Repeats a piece of work for about so many seconds.
struct Stopwatch {
    let seconds: Double
    /// Called after every piece of work: a measurement may be stopped at any time, and does not come back if it is.
    let stopIfRequested: () -> Void

    /// Units a second, the median of several stretches; `body` returns how many units it has done. Called once before
    /// the clock starts, so that memory is there.
    func rate(_ body: () -> Double) -> Double {
        withoutActuallyEscaping(body) { Self.median(stretches([$0], 3)[0]) }
    }

    /// The same of the best stretch: a limit is what was reached when nothing disturbed.
    func limit(_ body: () -> Double) -> Double { withoutActuallyEscaping(body) { stretches([$0], 3)[0].max()! } }

    /// The same of several, whose stretches alternate: what disturbs the machine for a while disturbs them all.
    func rates(_ bodies: [() -> Double]) -> [Double] { stretches(bodies, 5).map(Self.median) }

    private static func median(_ rates: [Double]) -> Double { rates.sorted()[rates.count / 2] }

    /// Units a second of each in each of so many stretches.
    private func stretches(_ bodies: [() -> Double], _ count: Int) -> [[Double]] {
        for body in bodies {
            _ = body()
            stopIfRequested()
        }
        var rates = bodies.map { _ in [Double]() }
        for _ in 0..<count {
            for (index, body) in bodies.enumerated() {
                let start = Clock.now
                var units = 0.0, elapsed = 0.0
                repeat {
                    units += body()
                    stopIfRequested()
                    elapsed = Clock.now - start
                } while elapsed < seconds / Double(count)
                rates[index].append(units / elapsed)
            }
        }
        return rates
    }
}
