import Corpus
import Tensors

/// What was made for what, told by content. Sizes agree by chance.
enum Identity {
    /// The first figures of a hash, enough to tell two apart in a message.
    static func brief(_ sha256: String?) -> String { sha256.map { String($0.prefix(12)) } ?? "none" }

    /// The model at the end of a chain of models, each spliced from the next: that which `train` made.
    ///
    /// - Parameters:
    ///   - inputs: of a manifest, with what they were made from
    ///   - role: of the model that the chain begins with
    static func teacher(_ inputs: [String: String], _ role: String) -> String? {
        guard var model = inputs[role] else { return nil }
        var seen: Set = [model]  // a manifest that somebody has led in circles ends somewhere, too
        while let next = Lineage.origin(of: model, "model", in: inputs), seen.insert(next).inserted { model = next }
        return model
    }
}

extension ModelFolder {
    /// Ids of another vocabulary mean nothing to the model, though there may be as many of them.
    func requireVocabularies(of tokens: TokenFolder) throws {
        for side in Side.allCases {
            let name = Vocabulary.fileNames(side)[0], own = files.sha256(name), other = tokens.sha256(name)
            guard own == nil || own != other else { continue }
            throw DataError(
                path: tokens.path, expected: "the \(side) vocabulary of \(path), \(Identity.brief(own))",
                found: "another, \(Identity.brief(other))",
                hint: "give the --tokens that the model was trained on")
        }
    }

    /// SHA-256 of the manifest of the teacher: of this folder, or of that which it was spliced from.
    package var teacher: String? {
        get throws { try Identity.teacher(files.manifest.inputs, "model") ?? ManifestFile.sha256(folder: path) }
    }

    /// Networks that were distilled from another teacher have learnt something else.
    ///
    /// - Parameter warn: told where the folder is of a time when teachers were not recorded
    package func requireTeacher<Configuration>(
        of distilled: PublishedFolder<Configuration>, warn: (String) -> Void
    )
        throws
    {
        guard let other = Identity.teacher(distilled.manifest.inputs, "capture/model") else {
            return warn("\(distilled.path) does not say which teacher it was distilled from: not compared")
        }
        let own = try teacher
        guard own != other else { return }
        throw DataError(
            path: distilled.path, expected: "networks distilled from the teacher of \(path), \(Identity.brief(own))",
            found: "those of another, \(Identity.brief(other))", hint: "distil from a capture of this model")
    }
}
