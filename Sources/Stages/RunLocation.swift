import Foundation

/// Which run an output folder belongs to: `runs/NAME/STAGE/...` is part of run NAME, and the history is `runs/registry.sqlite`.
/// The folder of `tokenize` is `tokens`, after what is in it; all others are named like their stage.
/// A folder of another shape is a run of its own, with the history beside it.
struct RunLocation: Equatable {
    let name: String
    let registry: String

    init(output: String, stage: String) {
        let parts = URL(fileURLWithPath: output).standardizedFileURL.path.split(separator: "/").map(String.init)
        var end = parts.count - 1
        let folder = stage == "tokenize" ? "tokens" : stage
        if let place = parts.lastIndex(of: folder), place > 0 { end = place - 1 }
        name = parts.isEmpty ? stage : parts[end]
        registry = "/" + (parts.prefix(max(end, 0)) + ["registry.sqlite"]).joined(separator: "/")
    }
}
