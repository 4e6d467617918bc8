/// Token ids that mean the same in every vocabulary, and so in every shard and model.
package enum SpecialToken {
    /// `<unk>`: what the vocabulary does not have.
    package static let unknown: Int32 = 0
    /// `<s>`: what a translation starts from.
    package static let start: Int32 = 1
    /// `</s>`: the end of a sentence.
    package static let end: Int32 = 2
}
