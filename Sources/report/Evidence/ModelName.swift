import Foundation
import Models
import Registry

/// What a score's name says of its model: `mix-l.encoder+mix-l.decoder.inplace.beam-4`; what stands in it is said by
/// the score itself, but by early ones.
struct ModelName {
    /// Without the way of searching.
    let text: String
    /// Empty for the teacher, and for names that are no list of specs where the score does not say.
    let specs: [Spec]
    let isInPlace: Bool
    /// What its name says beside its networks: `greedy`, `stepwise`.
    let remark: String?

    init(_ score: ScoredModel) { self.init(score.model, networks: score.networks, isInPlace: score.isInPlace) }

    /// - Parameters:
    ///   - networks: specs joined by `+`, as recorded
    ///   - isInPlace: as recorded
    init(_ name: String, networks: String? = nil, isInPlace recorded: Bool? = nil) {
        var text = name
        var isInPlace = false
        while let dot = text.lastIndex(of: ".") {
            let last = text[text.index(after: dot)...]
            guard last == "inplace" || Self.isWay(last) else { break }
            isInPlace = isInPlace || last == "inplace"
            text = String(text[..<dot])
        }
        let named = Self.specs(text)
        specs = networks.map(Self.specs) ?? named
        self.isInPlace = recorded ?? isInPlace
        remark = specs.isEmpty || !named.isEmpty ? nil : Self.remark(text)
        self.text = text + (isInPlace ? ".inplace" : "")
    }

    /// Of `mix-l.encoder+mix-l.cross`; empty where it is no list of specs.
    private static func specs(_ text: some StringProtocol) -> [Spec] {
        let parts = text.split(separator: "+").map { Spec(String($0)) }
        return parts.contains { $0 == nil } ? [] : parts.compactMap { $0 }
    }

    /// The word after a list of specs, or else all.
    private static func remark(_ text: String) -> String {
        guard let dot = text.lastIndex(of: "."), !specs(text[..<dot]).isEmpty else { return text }
        return String(text[text.index(after: dot)...])
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

    /// `mix-l`, `mix-l, in place`, `mix-s/mix-m, greedy`.
    var network: String {
        networks + (isInPlace && !specs.isEmpty ? ", in place" : "") + (remark.map { ", \($0)" } ?? "")
    }

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
