/// What the programs say of themselves.
package enum Program {
    /// The version of all programs together.
    package static let version = "0.1.0"

    /// What the program of `stage` prints as its version, and what its runs record: that of all, then its revision.
    package static func version(of stage: String) -> String { "\(version).\(revision(of: stage))" }

    /// Of a stage that has none, as in tests: 0.
    static func revision(of stage: String) -> Int { revisions[stage] ?? 0 }

    /// Which bytes each stage makes. A number is part of its stage's keys: raise it whenever the same configuration and
    /// inputs would no longer give the same bytes, so that nothing old counts as made and no old checkpoint is taken
    /// up; and whenever a default changes, which is how make finds out. `Tests/revisions.test.sh` compares what a tiny
    /// run makes with what it made at this revision.
    package static let revisions = [
        "tokenize": 2, "train": 10, "capture": 3, "distill": 10, "splice": 2, "score": 3, "bench": 1,
    ]
}
