/// Token ids that mean the same in every vocabulary, and so in every shard and model.
public enum SpecialToken {
    /// `<unk>`: what the vocabulary does not have.
    public static let unknown: Int32 = 0
    /// `<s>`: what a translation starts from.
    public static let start: Int32 = 1
    /// `</s>`: the end of a sentence.
    public static let end: Int32 = 2
}
