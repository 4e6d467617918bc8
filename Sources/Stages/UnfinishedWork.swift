import Foundation
import Logging
import Tensors

/// What a stage does with the checkpoint that an earlier run has left in its output folder.
package enum Resumption {
    /// It has none: it starts from nothing, every time.
    case never
    /// It goes on from one of the same settings, inputs and revision. One of others is refused, or discarded where that
    /// is wished.
    case fromCheckpoint(discardsOthers: Bool)

    var isFromCheckpoint: Bool { if case .fromCheckpoint = self { true } else { false } }
}

/// What a run leaves in `.unfinished` until it is published, with the key that it belongs to.
enum UnfinishedWork {
    /// In `.unfinished`: the text of the run's key.
    private static let keyName = "run.json"

    /// The stage that has begun to fill a folder, if one has and has said so.
    static func stage(in output: String) -> String? {
        let folder = FilePath.join(output, OutputFolder.unfinishedName)
        return members(in: folder)?["stage"] as? String ?? (try? ManifestFile.stage(folder: folder))
    }

    /// Makes `.unfinished` this run's: keeps what has the same key, and clears away or refuses what has another.
    /// Returns whether there is work to go on with.
    static func claim(_ folder: OutputFolder, _ key: RunKey, _ resumption: Resumption, log: Logger) throws -> Bool {
        let text = try key.text(), path = FilePath.join(folder.unfinished, keyName)
        if try FileSystem.existsForCertain(path), try Data(FileSystem.read(path)) == text,
            case .fromCheckpoint = resumption
        {
            return try holdsWork(folder.unfinished)
        }
        if case .fromCheckpoint(let discards) = resumption, try holdsWork(folder.unfinished) {
            let changes = changes(from: members(in: folder.unfinished) ?? [:], to: try key.members())
            guard discards else { throw OtherCheckpoint(folder: folder.folder, changes: changes) }
            log.warning("discarding a checkpoint of other settings: \(changes)")
        }
        try folder.clearUnfinished()
        try FileSystem.writeAtomically(text, to: folder.temporaryPath(keyName))
        return false
    }

    /// After a failure: what nobody can go on with goes. Files that were on their way out stay, with those that they
    /// replace: whoever opens the folder next brings it to its end.
    static func abandon(_ folder: OutputFolder, _ resumption: Resumption) throws {
        if folder.isBeingPublished { return }
        if case .fromCheckpoint = resumption, try holdsWork(folder.unfinished) { return }
        try FileSystem.removeFolder(folder.unfinished)
    }

    /// Whether anything is there that took time: more than the key and files that were not whole yet.
    private static func holdsWork(_ folder: String) throws -> Bool {
        guard FileSystem.isFolder(folder) else { return false }
        return try FileSystem.files(below: folder).contains { !$0.hasSuffix(".partial") && $0 != keyName }
    }

    private static func members(in folder: String) -> [String: Any]? {
        guard let text = try? FileSystem.read(FilePath.join(folder, keyName)) else { return nil }
        return (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any]
    }

    /// The first few settings that differ, as `training.epochs 20 → 30`.
    static func changes(from old: [String: Any], to new: [String: Any]) -> String {
        let (old, new) = (leaves(old), leaves(new))
        let changed = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
        let words = changed.prefix(4).map {
            "\($0) \(Excerpt.line(old[$0] ?? "none", most: 40)) → \(Excerpt.line(new[$0] ?? "none", most: 40))"
        }
        return old.isEmpty
            ? "none recorded" : words.joined(separator: ", ") + (changed.count > 4 ? ", \(changed.count - 4) more" : "")
    }

    /// The scalars of a JSON value by dotted name; `configuration.` is left out of it.
    private static func leaves(_ value: Any, _ name: String = "") -> [String: String] {
        func inner(_ key: String) -> String { name.isEmpty || name == "configuration" ? key : name + "." + key }
        if let object = value as? [String: Any] {
            return object.reduce(into: [:]) { $0.merge(leaves($1.value, inner($1.key))) { first, _ in first } }
        }
        guard let list = value as? [Any] else { return [name: "\(value)"] }
        // inputs are a list of role=hash
        return list.enumerated().reduce(into: [:]) { result, item in
            let parts = name == "inputs" ? "\(item.element)".split(separator: "=", maxSplits: 1).map(String.init) : []
            if parts.count == 2 {
                result[inner(parts[0])] = parts[1]
            } else {
                result.merge(leaves(item.element, inner("\(item.offset)"))) { first, _ in first }
            }
        }
    }
}

/// A folder holds hours of work for other settings than those that were given.
struct OtherCheckpoint: StageError, CustomStringConvertible {
    let folder: String
    let changes: String
    let exitCode: Int32 = EX_CANTCREAT
    var description: String {
        "\(Excerpt.line(folder)): expected a checkpoint of these settings, found one of others: \(changes)"
    }
    var hint: String? {
        "give the settings that it was made with to go on, or --discard-checkpoint to start from nothing"
    }
}
