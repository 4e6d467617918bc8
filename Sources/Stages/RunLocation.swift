import Tensors

/// Which run an output folder belongs to: `runs/NAME/STAGE` and `runs/NAME/STAGE/SPEC` are part of run NAME, and the
/// history is `runs/registry.sqlite`. The folder of `tokenize` is `tokens`, after what is in it; all others are named
/// like their stage. A folder of another shape is a run of its own, with the history beside it.
struct RunLocation: Equatable {
    let name: String
    let registry: String

    init(output: String, stage: String) {
        let folder = stage == "tokenize" ? "tokens" : stage
        var place = FilePath.absolute(output)
        if FilePath.name(place) != folder, FilePath.name(FilePath.parent(place)) == folder {
            place = FilePath.parent(place)
        }
        let isStage = FilePath.name(place) == folder && FilePath.parent(place) != "/"
        let run = isStage ? FilePath.parent(place) : FilePath.absolute(output)
        name = FilePath.name(run)
        registry = FilePath.join(FilePath.parent(run), "registry.sqlite")
    }
}
