import Foundation
import Models

/// What a score's name says of its model: `mix-l.encoder+mix-l.decoder.inplace.beam-4`.
struct ModelName {
    /// Without the way of searching.
    let text: String
    /// Empty for the teacher, and for names that are no list of specs.
    let specs: [Spec]
    let isInPlace: Bool

    init(_ name: String) {
        var text = name
        var isInPlace = false
        while let dot = text.lastIndex(of: ".") {
            let last = text[text.index(after: dot)...]
            guard last == "inplace" || Self.isWay(last) else { break }
            isInPlace = isInPlace || last == "inplace"
            text = String(text[..<dot])
        }
        let parts = text.split(separator: "+").map { Spec(String($0)) }
        specs = parts.contains { $0 == nil } ? [] : parts.compactMap { $0 }
        self.isInPlace = isInPlace
        self.text = text + (isInPlace ? ".inplace" : "")
    }

    /// What a score's name ends with that says how it was searched and on which texts: not part of the model.
    private static func isWay(_ word: Substring) -> Bool {
        word == "int8" || word == "mixed" || word.hasPrefix("beam-") || word.hasPrefix("joined-")
    }

    /// The layer, where one network alone stands in the model.
    var layer: Int? { specs.count == 1 ? specs[0].layer : nil }

    /// That no network stands in some layers alone.
    var isOfAllLayers: Bool { specs.allSatisfy { $0.layer == nil } }

    /// `mix-l`, or `mix-l/alr-m` of several, by attention; the name itself where it is no list of specs.
    var networks: String {
        func names(_ specs: [Spec]) -> String { specs.grouped(by: \.networkName).map(\.key).joined(separator: ",") }
        let byAttention = attentions.map { attention in names(specs.filter { $0.attention == attention }) }
        guard let first = byAttention.first else { return text }
        return byAttention.allSatisfy { $0 == first } ? first : byAttention.joined(separator: "/")
    }

    /// `mix-l`, `mix-l, in place`.
    var network: String { networks + (isInPlace && !specs.isEmpty ? ", in place" : "") }

    private var attentions: [Attention] {
        Attention.allCases.filter { attention in specs.contains { $0.attention == attention } }
    }

    /// Which attentions were replaced: `encoder + decoder`, `all attentions`; of some layers `encoder 0 + cross 0 1`.
    var places: String {
        let places = attentions
        if places.isEmpty { return "other" }
        if isOfAllLayers, Set(places.map(\.captured)).count == 3 { return "all attentions" }
        return places.map { attention in
            let layers = specs.filter { $0.attention == attention }.compactMap(\.layer).sorted()
            return ([attention.rawValue] + layers.map(String.init)).joined(separator: " ")
        }.joined(separator: " + ")
    }

    /// Encoder first, everything last; then as the families are listed.
    var order: [Int] {
        let places = attentions.map { Attention.allCases.firstIndex(of: $0)! }
        return [specs.isEmpty ? 9 : places.count] + places + Array(repeating: 0, count: 4 - places.count)
            + [Families.all.firstIndex { $0.name == specs.first?.family.name } ?? 99]
    }
}
