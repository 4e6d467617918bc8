extension Sequence {
    /// Groups of equal key, in the order in which they first appear.
    func grouped(by key: (Element) -> String) -> [(key: String, members: [Element])] {
        var order: [String] = [], members: [String: [Element]] = [:]
        for element in self {
            let key = key(element)
            if members[key] == nil { order.append(key) }
            members[key, default: []].append(element)
        }
        return order.map { ($0, members[$0]!) }
    }
}

extension Array<Double> {
    /// Nil of none.
    var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
