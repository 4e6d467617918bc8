import Corpus
import Tensors

/// What was made for what, told by content. Sizes agree by chance.
package enum Identity {
    /// The role of whom a model's networks have learnt from in place, and of whom all of it has.
    package static let teacherOfNetworks = "teacher"
    package static let teacherOfAll = "teacher.all"

    /// The first figures of a hash, enough to tell two apart in a message.
    static func brief(_ sha256: String?) -> String { sha256.map { String($0.prefix(12)) } ?? "none" }

    /// The model at the end of a chain of models, each spliced from the next or with networks trained in place: that
    /// whose weights the others have, but for their networks.
    ///
    /// - Parameters:
    ///   - inputs: of a manifest, with what they were made from
    ///   - role: of the model that the chain begins with
    static func teacher(_ inputs: [String: String], _ role: String) -> String? {
        guard var model = inputs[role] else { return nil }
        var seen: Set = [model]  // a manifest that somebody has led in circles ends somewhere, too
        while let next = base(Lineage.origins(of: model, in: inputs)), seen.insert(next).inserted { model = next }
        return model
    }

    /// The model that another one was spliced from, or whose networks were trained in place; nil for one that `train`
    /// made otherwise, whose weights are all its own, though it may have begun with another's.
    static func base(_ origins: [String: String]) -> String? {
        let isInPlace = origins[teacherOfNetworks] != nil
        let isSpliced = origins.keys.contains { $0.hasPrefix("replacement.") }
        return isInPlace || isSpliced ? origins["model"] : nil
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

    /// SHA-256 of the manifest of the teacher: of this folder, or of that whose weights it has, but for its networks.
    package var teacher: String? {
        let inputs = publication.inputs
        return Identity.base(inputs) == nil ? publication.sha256 : Identity.teacher(inputs, "model")
    }

    /// That the networks in it have learnt where they stand.
    package var isTrainedInPlace: Bool { publication.stage == Self.stages[0] && !description.replacements.isEmpty }

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
        guard teacher != other else { return }
        throw DataError(
            path: distilled.path,
            expected: "networks distilled from the teacher of \(path), \(Identity.brief(teacher))",
            found: "those of another, \(Identity.brief(other))", hint: "distil from a capture of this model")
    }
}
