import ArgumentParser
import Foundation
import Kernels
import Processes
import Registry
import Tensors

/// A program that is one stage. Conforming types are marked `@main`; what they throw becomes a line on standard error
/// and an exit code (see `Failure`).
///
///     @main struct Distill: StageCommand {
///         static let configuration = CommandConfiguration(abstract: "...", version: Program.version(of: "distill"))
///         @OptionGroup var options: StageOptions
///         mutating func run() throws { ... }
///     }
package protocol StageCommand: ParsableCommand {
    /// The stage's name in manifests, in the registry and in messages; by default the type's, in lower case.
    static var stage: String { get }

    /// Whether the stage's work can be shared by several processes.
    static var runsInProcesses: Bool { get }

    /// Options that have no effect beside the others that this command was given: typing one of them is wrong usage.
    var idleOptions: [IdleOptions] { get }
}

extension StageCommand {
    package static var stage: String { _commandName }
    package static var runsInProcesses: Bool { false }
    package var idleOptions: [IdleOptions] { [] }

    package static func main() {
        ThisProcess.prepare()
        Signals.install()
        main(nil)
    }

    package static func main(_ arguments: [String]?) {
        do {
            try checkProcesses()
            var command = try parse(all: arguments ?? Array(CommandLine.arguments.dropFirst()))
            try command.run()
            try Results.flush()
            ProcessGroup.shared.finish()
        } catch {
            end(error)
        }
    }

    /// Parses, and sees to it that everything that was typed counts: one value where one is taken, numbers in their
    /// range, no option of another way of working.
    static func parse(all arguments: [String]) throws -> ParsableCommand {
        let given = GivenArguments(arguments, of: self)
        try NumberRange.check(given)
        let command = try parseAsRoot(arguments)
        if let name = given.repeated.first {
            throw ValidationError("\(name) takes one value and was given more than once")
        }
        for idle in (command as? Self)?.idleOptions ?? [] {
            if let name = idle.among(given.names) { throw ValidationError("\(name) has no effect: \(idle.reason)") }
        }
        return command
    }

    /// Several copies of a program that do not know of one another would spoil each other's work.
    private static func checkProcesses() throws {
        guard ProcessGroup.cannotJoin || (ProcessGroup.shared.count > 1 && !runsInProcesses) else { return }
        throw ValidationError(
            runsInProcesses
                ? "started as several processes, but built without MPI: make -f pipeline.mk PROCESSES=..."
                : "started as several processes, but works in one: leave mpirun out")
    }

    private static func end(_ error: Error) -> Never {
        if let failure = Failure(error) { leave(failure) }
        // help and version are results too, and may be lost like others
        guard exitCode(for: error) == .success else {
            guard ProcessGroup.shared.count > 1 else {
                ProcessGroup.shared.finish()
                exit(withError: error)
            }
            endGroup(exitCode(for: error).rawValue, saying: [fullMessage(for: error)])
        }
        if ProcessGroup.shared.leads { print(fullMessage(for: error)) }
        do { try Results.flush() } catch { if let failure = Failure(error) { leave(failure) } }
        endGroup(0)
    }

    private static func leave(_ failure: Failure) -> Never {
        endGroup(failure.exitCode, saying: failure.lines(program: stage))
    }

    /// Ends this process; the others of its group at once, if they are at work and do not end by themselves. What all
    /// have to say only the first of them says.
    private static func endGroup(_ code: Int32, saying lines: [String] = []) -> Never {
        let group = ProcessGroup.shared
        let endTogether = group.sharesFailure || (code > 128 && group.hasAgreedToStop)
        let isAtWork = StageRun.isMissed()  // hears the leader's call, whatever the code: all make the same calls
        let isMissed = code != 0 && !endTogether && isAtWork
        if group.leads || isMissed { lines.forEach(Terminal.standardError.line) }
        if isMissed { group.abort(code) }
        StageRun.callToWork(nil)
        group.finish()
        Foundation.exit(code)
    }
}

extension Journal: ExpressibleByArgument {}

/// The options that every stage has: `@OptionGroup var options: StageOptions`.
package struct StageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Threads to compute with. The result does not depend on it. (default: the cores that the process may use)",
            valueName: "n"))
    package var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            The history of runs. (default: registry.sqlite beside the run's folder: runs/registry.sqlite for \
            runs/NAME/STAGE, else beside --output, or one folder further up if there is one)
            """,
            valueName: "file"))
    package var registry: String?

    @Option(
        help: ArgumentHelp(
            """
            How the registry is kept: log, for one machine, or rollback, for a file system that several see. \
            (default: by the file system)
            """))
    package var registryJournal: Journal?

    @Flag(help: "Do the work even if the output is complete for the same configuration and inputs.")
    package var force = false

    @Flag(name: .shortAndLong, help: "No progress, only warnings and errors.")
    package var quiet = false

    package init() {}

    /// `--threads`, or the cores that this process may use.
    package var threadCount: Int { threads ?? Cores.allowed }
}

/// `--json`, for stages whose result is numbers: `@OptionGroup var output: JSONOption`.
package struct JSONOption: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    package var json = false

    package init() {}
}

/// Results, which go to standard output.
package enum Results {
    /// One JSON value, members sorted, indented.
    package static func printJSON(_ value: some Encodable) throws {
        print(String(decoding: try JSONText.encode(value), as: UTF8.self))
    }

    /// `print` does not say when what it wrote was lost. Who has stopped reading has seen enough.
    package static func flush() throws {
        let code = fflush(stdout) == 0 ? EIO : errno
        guard code != EIO || ferror(stdout) != 0, !readerHasGone else { return }
        throw DataError.writing("standard output", code: code)
    }

    /// Whether standard output is a pipe or a socket that nobody reads any more.
    package static var readerHasGone: Bool {
        var state = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR | POLLHUP) != 0
    }
}
