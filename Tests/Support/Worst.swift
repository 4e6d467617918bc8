extension Sequence where Element: FloatingPoint {
    /// The largest of some differences; infinite where one is not a number, which `max` would pass over.
    public var worst: Element { reduce(0) { $1 <= $0 ? $0 : ($1.isNaN ? .infinity : $1) } }
}
