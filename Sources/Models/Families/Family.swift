import Synchronization

/// A kind of network that can stand in an attention's place. To add one is to write one file and a line in the list of
/// `Families`: specs, help, distillation, training in place, splicing and translation follow from what it says of
/// itself.
package protocol Family: Sendable {
    /// As a spec writes it: `alr`.
    var name: String { get }
    /// One line for people.
    var summary: String { get }
    var span: Span { get }
    /// Where it may stand.
    var attentions: [Attention] { get }
    /// Sizes that have a name, the smallest first.
    var namedSizes: [String] { get }
    /// How other sizes are written, after "or" and "nor": `a width such as h96`.
    var otherSizes: String { get }
    /// Whether this is how a size is written, letter by letter.
    func hasSize(_ text: String) -> Bool
    /// The network of a spec of this family, whose parameters get their places in `layout`.
    func network(_ spec: Spec, _ shape: TeacherShape, _ layout: inout ParameterLayout) -> any DistillableNetwork
    /// What a distillation of this spec does unless it is told otherwise.
    func recipe(_ spec: Spec) -> DistillationRecipe
}

/// All families. The order is that of help texts.
package enum Families {
    private static let list = Mutex<[any Family]>(
        FlattenedFamily.all + [MixerFamily.mix, MixerFamily.slots])

    package static var all: [any Family] { list.withLock { $0 } }

    /// For tests.
    static func add(_ family: any Family) {
        list.withLock { list in if !list.contains(where: { $0.name == family.name }) { list.append(family) } }
    }

    package static func named(_ name: some StringProtocol) -> (any Family)? { all.first { $0.name == name } }

    /// Those that may stand at an attention.
    package static func at(_ attention: Attention) -> [any Family] { all.filter { $0.attentions.contains(attention) } }

    /// For programs, a line each: name, span, attentions, named sizes.
    package static var table: String {
        all.map { family in
            let places = family.attentions.map(\.rawValue).joined(separator: ","),
                sizes = family.namedSizes.joined(separator: ",")
            return "\(family.name) \(family.span.rawValue) \(places) \(sizes)"
        }.joined(separator: "\n")
    }

    /// A few lines for `--help`: each family with its places and sizes.
    package static var help: String {
        let width = all.map(\.name.count).max() ?? 0
        return all.map { family in
            let name = family.name.padding(to: width), places = family.attentions.map(\.rawValue).joined(separator: " ")
            let sizes = "\(family.namedSizes.joined(separator: " ")) or \(family.otherSizes)",
                indent = "".padding(to: width)
            let lines = family.summary.wrapped(to: 75 - width) + "at \(places); \(sizes)".wrapped(to: 75 - width)
            return lines.enumerated().map { "  \($0 == 0 ? name : indent)  \($1)" }.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// Its words in lines of at most so many characters.
    fileprivate func wrapped(to width: Int) -> [String] {
        split(separator: " ").reduce(into: [""]) { lines, word in
            let line = lines.last! + (lines.last!.isEmpty ? "" : " ") + word
            if line.count <= width { lines[lines.count - 1] = line } else { lines.append(String(word)) }
        }
    }
}

/// How a network is distilled by default.
package struct DistillationRecipe: Equatable, Sendable {
    package var epochs = 12
    /// Highest learning rate.
    package var peak = 3e-3
    /// Of the hidden layer.
    package var dropout: Float = 0
    /// Epochs without a better validation loss before it stops; 0: never.
    package var patience = 3
    /// Tokens of a batch; nil: batches are so many sentences as `DistillationSettings` says.
    package var batchTokens: Int?
    /// The gradient's norm is cut to this; nil: never.
    package var clip: Float?
    /// Settings that mean something to the family; given for another, they are refused.
    package var settings: Set<Setting> = []
    /// The learning rate of the paper's own code, for families of the paper.
    package var paperPeak: Double?

    package enum Setting: Sendable {
        case dropout, clip, muon
    }

    package init() {}
}
