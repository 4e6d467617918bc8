import Tensors

/// Which run an output folder belongs to: `runs/NAME/STAGE` and `runs/NAME/STAGE/SPEC` are part of run NAME, and the
/// history is `runs/registry.sqlite`. The folder of `tokenize` is `tokens`, after what is in it, and `train` has one
/// more, `inplace`; all others are named like their stage. A folder of another shape is a run of its own, with the
/// history beside it.
struct RunLocation: Equatable {
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
        registry = FilePath.join(FilePath.parent(run), "registry.sqlite")
    }
}
