import Tensors

/// Which run an output folder belongs to: `runs/NAME/STAGE` and `runs/NAME/STAGE/SPEC` are part of run NAME, and the
/// history is `runs/registry.sqlite`. The folder of `tokenize` is `tokens`, after what is in it, and `train` has one
/// more, `inplace`; all others are named like their stage. A folder of another shape is a run of its own, with the
/// history that lies one folder further up, if there is one, or else beside it.
struct RunLocation: Equatable {
    private static let registryName = "registry.sqlite"

    let name: String
    let registry: String

    init(output: String, stage: String) {
        let folders = ["tokenize": ["tokens"], "train": ["train", "inplace"]][stage] ?? [stage]
        var place = FilePath.absolute(output)
        if !folders.contains(FilePath.name(place)), folders.contains(FilePath.name(FilePath.parent(place))) {
            place = FilePath.parent(place)
        }
        let isStage = folders.contains(FilePath.name(place)) && FilePath.parent(place) != "/"
        let run = isStage ? FilePath.parent(place) : FilePath.absolute(output)
        name = FilePath.name(run)
        let parent = FilePath.parent(run), above = FilePath.parent(parent)
        let isAbove = !isStage && above != "/" && !Self.hasRegistry(parent) && Self.hasRegistry(above)
        registry = FilePath.join(isAbove ? above : parent, Self.registryName)
    }

    private static func hasRegistry(_ folder: String) -> Bool { FileSystem.exists(FilePath.join(folder, registryName)) }
}
