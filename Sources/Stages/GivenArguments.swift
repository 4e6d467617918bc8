import ArgumentParser
import Foundation

/// What was typed, seen before it is parsed: ArgumentParser keeps the last of two values in silence, and does not tell
/// a value that was given from a default.
struct GivenArguments {
    /// The values behind each option that was given, by its long name; none behind a flag.
    private(set) var values: [String: [String]] = [:]
    /// Options, not flags, that were given more than once though they take one value.
    private(set) var repeated: [String] = []

    /// An argument as ArgumentParser describes it in `--experimental-dump-help`.
    private struct Help: Decodable {
        struct Command: Decodable { let arguments: [Argument]? }
        struct Argument: Decodable {
            let kind: String
            let isRepeating: Bool
            let names: [Name]?
        }
        struct Name: Decodable {
            let kind: String
            let name: String
        }
        let command: Command
    }

    init(_ words: [String], of command: any ParsableCommand.Type) throws {
        let help = try JSONDecoder().decode(Help.self, from: Data(command._dumpHelp().utf8))
        var long: [String: String] = [:], single: Set<String> = []
        for argument in help.command.arguments ?? [] {
            let names = argument.names ?? []
            guard let name = names.first(where: { $0.kind == "long" })?.name else { continue }
            for other in names { long[(other.kind == "long" ? "--" : "-") + other.name] = "--" + name }
            if argument.kind == "option", !argument.isRepeating { single.insert("--" + name) }
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
