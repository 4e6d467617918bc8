import ArgumentParser
import Foundation
import Kernels
import Tensors

/// A program that is one stage. Conforming types are marked `@main`; what they throw becomes a line on standard error and an
/// exit code (see `Failure`).
///
///     @main struct Distill: StageCommand {
///         static let configuration = CommandConfiguration(abstract: "...", version: Program.version)
///         @OptionGroup var options: StageOptions
///         mutating func run() throws { ... }
///     }
public protocol StageCommand: ParsableCommand {
    /// The stage's name in manifests, in the registry and in messages; by default the type's, in lower case.
    static var stage: String { get }
}

extension StageCommand {
    public static var stage: String { _commandName }

    public static func main() {
        BLAS.prepare()
        main(nil)
    }

    public static func main(_ arguments: [String]?) {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            try flushResults()
        } catch {
            guard let failure = Failure(error) else { exit(withError: error) }
            failure.lines(program: stage).forEach(Terminal.standardError.line)
            Foundation.exit(failure.exitCode)
        }
    }

    /// `print` does not say when what it wrote was lost.
    private static func flushResults() throws {
        guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
        throw DataError(path: "standard output", expected: "room to write to", found: "a failure; results are lost", kind: .io)
    }
}

/// The options that every stage has: `@OptionGroup var options: StageOptions`.
public struct StageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to compute with. The result does not depend on it. (default: all cores)", valueName: "n"))
    public var threads: Int?

    @Option(help: ArgumentHelp("The history of runs. (default: registry.sqlite beside the run's folder)", valueName: "file"))
    public var registry: String?

    @Flag(help: "Do the work even if the output is complete for the same configuration and inputs.")
    public var force = false

    @Flag(name: .shortAndLong, help: "No progress, only warnings and errors.")
    public var quiet = false

    public init() {}

    public mutating func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, not \(threads)") }
    }

    /// `--threads`, or the cores that this process may run on.
    public var threadCount: Int { threads ?? ThisMachine.availableCores }
}

/// `--json`, for stages whose result is numbers: `@OptionGroup var output: JSONOption`.
public struct JSONOption: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    public var json = false

    public init() {}
}

/// Results, which go to standard output.
public enum Results {
    /// One JSON value, members sorted, indented.
    public static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
