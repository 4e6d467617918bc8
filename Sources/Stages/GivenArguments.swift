import ArgumentParser
import Foundation

/// What ArgumentParser knows of a type's arguments (`--experimental-dump-help`).
package enum DefinedArguments {
    struct Argument: Decodable {
        private struct Name: Decodable {
            let kind: String
            let name: String
        }
        private let kind: String
        private let names: [Name]?
        let isRepeating: Bool

        /// It has a value.
        var isOption: Bool { kind == "option" }
        var long: [String] { names(of: "long", "--") }
        var short: [String] { names(of: "short", "-") }

        private func names(of kind: String, _ dashes: String) -> [String] {
            (names ?? []).filter { $0.kind == kind }.map { dashes + $0.name }
        }
    }

    private struct Help: Decodable {
        struct Command: Decodable { let arguments: [Argument]? }
        let command: Command
    }

    static func all(of type: any ParsableArguments.Type) -> [Argument] {
        do {
            return try JSONDecoder().decode(Help.self, from: Data(type._dumpHelp().utf8)).command.arguments ?? []
        } catch {
            fatalError("another ArgumentParser, which tells of \(type) otherwise: \(error)")
        }
    }

    /// The options and flags of a program, or of a group of its options, by their long names.
    package static func names(of type: any ParsableArguments.Type) -> [String] {
        all(of: type).flatMap(\.long).filter { $0 != "--help" && $0 != "--version" }
    }
}

/// What was typed, seen before it is parsed: ArgumentParser keeps the last of two values in silence, and does not tell
/// a value that was given from a default.
struct GivenArguments {
    /// The values behind each option that was given, by its long name; none behind a flag.
    private(set) var values: [String: [String]] = [:]
    /// Options, not flags, that were given more than once though they take one value.
    private(set) var repeated: [String] = []

    init(_ words: [String], of command: any ParsableCommand.Type) {
        var long: [String: String] = [:], single: Set<String> = []
        for argument in DefinedArguments.all(of: command) {
            guard let name = argument.long.first else { continue }
            for other in argument.long + argument.short { long[other] = name }
            if argument.isOption, !argument.isRepeating { single.insert(name) }
        }
        var current: String?
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if word.hasPrefix("-"), Double(word) == nil, let name = long[parts[0]] {
                if values[name] != nil, single.contains(name) { repeated.append(name) }
                values[name, default: []] += parts.dropFirst()
                current = name
            } else if let current {
                values[current]!.append(word)
            }
        }
    }

    var names: Set<String> { Set(values.keys) }
}

/// Options that have no effect beside what else was given, and why.
package struct IdleOptions {
    let reason: String
    private let isIdle: (String) -> Bool

    package init(_ options: String..., because reason: String) { self.init(options, because: reason) }

    package init(_ options: [String], because reason: String) { self.init(reason) { options.contains($0) } }

    /// All but these.
    package static func allBut(_ options: String..., because reason: String) -> IdleOptions {
        allBut(options, because: reason)
    }

    package static func allBut(_ options: [String], because reason: String) -> IdleOptions {
        IdleOptions(reason) { !options.contains($0) }
    }

    private init(_ reason: String, _ isIdle: @escaping (String) -> Bool) {
        self.reason = reason
        self.isIdle = isIdle
    }

    func among(_ given: Set<String>) -> String? { given.sorted().first(where: isIdle) }
}
