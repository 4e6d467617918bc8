/// Parts of 0..<all for so many tasks at most: all but the last are of the same number of whole units.
struct EvenCut {
    let all: Int
    let size: Int
    var count: Int { (all + size - 1) / size }

    init(_ all: Int, for tasks: Int, unit: Int) {
        self.all = all
        let units = (all + unit - 1) / unit
        size = max(1, (units + tasks - 1) / tasks) * unit
    }

    subscript(part: Int) -> Range<Int> { part * size..<min((part + 1) * size, all) }
}
