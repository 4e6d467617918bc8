import ArgumentParser
import Corpus
import Foundation
import Stages

/// Where the sentences come from.
struct TextOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Languages to translate from and to, such as en-de.", valueName: "from-to"))
    var pair = "en-de"

    @Option(help: "Name of the corpus. The one called phrasebook is generated, all others are read from the files below.")
    var corpus = "phrasebook"

    @Option(help: ArgumentHelp("The tables of the phrasebook.", valueName: "folder"))
    var phrasebook = "data/phrasebook"

    @Option(help: ArgumentHelp("Training text, a sentence a line.", valueName: "file"))
    var trainSource: String?
    @Option(help: ArgumentHelp("Its translation, line by line.", valueName: "file"))
    var trainTarget: String?
    @Option(help: ArgumentHelp("Validation text.", valueName: "file"))
    var validSource: String?
    @Option(help: ArgumentHelp("Its translation.", valueName: "file"))
    var validTarget: String?
    @Option(help: ArgumentHelp("Test text.", valueName: "file"))
    var testSource: String?
    @Option(help: ArgumentHelp("Its translation.", valueName: "file"))
    var testTarget: String?

    @Option(help: ArgumentHelp("Training pairs separated by a tab, plain, .gz or .zip.", valueName: "file"))
    var tsv: String?
    @Option(help: ArgumentHelp("Column of the source language in the table, the first being 1.", valueName: "n"))
    var sourceColumn = 1
    @Option(help: ArgumentHelp("Column of the target language.", valueName: "n"))
    var targetColumn = 2

    @Option(help: ArgumentHelp("An IWSLT archive (.tgz) or its folder; give it again for the other direction.", valueName: "archive"))
    var iwslt: [String] = []
    @Option(help: ArgumentHelp("IWSLT set for validation.", valueName: "set"))
    var validSet = "dev2010"
    @Option(help: ArgumentHelp("IWSLT set for the test.", valueName: "set"))
    var testSet = "tst2015"

    @Option(help: ArgumentHelp("Pairs held out for validation where no others are given.", valueName: "n"))
    var holdOutValid = 1000
    @Option(help: ArgumentHelp("Pairs held out for the test where no others are given.", valueName: "n"))
    var holdOutTest = 1000

    @Option(help: ArgumentHelp("Chooses the phrasebook's sentences and the pairs that are held out.", valueName: "n"))
    var seed: UInt64 = 1

    func validate() throws {
        guard languages.count == 2, languages.allSatisfy({ !$0.isEmpty }) else {
            throw ValidationError("--pair must name two languages, as in en-de, not '\(pair)'")
        }
        for (name, files) in [("train", trainFiles), ("valid", validFiles), ("test", testFiles)] where (files.0 == nil) != (files.1 == nil) {
            throw ValidationError("--\(name)-source and --\(name)-target belong together")
        }
        guard sourceColumn >= 1, targetColumn >= 1, sourceColumn != targetColumn else {
            throw ValidationError("--source-column and --target-column must be two columns from 1 on")
        }
        let origins = [trainSource != nil, tsv != nil, !iwslt.isEmpty && trainSource == nil && tsv == nil].filter { $0 }.count
        guard corpus != "phrasebook" || (origins == 0 && validSource == nil && testSource == nil) else {
            throw ValidationError("files need a name of their own: --corpus NAME")
        }
        guard corpus == "phrasebook" || origins == 1 else {
            throw ValidationError("corpus '\(corpus)' needs one of --train-source, --tsv and --iwslt")
        }
        guard holdOutValid >= 0, holdOutTest >= 0 else { throw ValidationError("--hold-out-valid and --hold-out-test must not be negative") }
    }

    private var languages: [String] { pair.split(separator: "-", omittingEmptySubsequences: false).map(String.init) }
    private var trainFiles: (String?, String?) { (trainSource, trainTarget) }
    private var validFiles: (String?, String?) { (validSource, validTarget) }
    private var testFiles: (String?, String?) { (testSource, testTarget) }
    var isPhrasebook: Bool { corpus == "phrasebook" }
}

/// What of the above decides the text, file names aside: files count by their content.
struct TextSettings: Encodable {
    let corpus: String
    let source: String
    let target: String
    let columns: [Int]
    let sets: [String]
    let holdOut: [Int]
}

extension TextOptions {
    var settings: TextSettings {
        TextSettings(
            corpus: corpus, source: languages[0], target: languages[1], columns: tsv == nil ? [] : [sourceColumn, targetColumn],
            sets: iwslt.isEmpty ? [] : [validSet, testSet], holdOut: [holdOutValid, holdOutTest])
    }

    /// The files that are read, for the run's lineage.
    func inputs() throws -> [StageInput] {
        if isPhrasebook {
            return try Phrasebook.files(in: phrasebook).map { try .file("phrasebook \(($0 as NSString).lastPathComponent)", $0) }
        }
        let files = [
            ("train source", trainSource), ("train target", trainTarget), ("valid source", validSource), ("valid target", validTarget),
            ("test source", testSource), ("test target", testTarget), ("table", tsv),
        ]
        let archives = iwslt.filter { !$0.isFolder }.enumerated().map { ("archive \($0 + 1)", Optional($1)) }
        return try (files + archives).compactMap { role, path in try path.map { try .file(role, $0) } }
    }

    func read() throws -> [Split: ParallelText] {
        if isPhrasebook {
            return try Phrasebook(folder: phrasebook).splits(
                source: languages[0], target: languages[1], valid: holdOutValid, test: holdOutTest, seed: seed)
        }
        let talks = iwslt.isEmpty ? nil : try IWSLTCorpus(archives: iwslt)
        var splits: [Split: ParallelText] = [:]
        splits[.valid] = try files(validFiles) ?? talks?.test(validSet, source: languages[0], target: languages[1])
        splits[.test] = try files(testFiles) ?? talks?.test(testSet, source: languages[0], target: languages[1])
        let held = try HeldOutSplit(
            valid: splits[.valid] == nil ? holdOutValid : 0, test: splits[.test] == nil ? holdOutTest : 0, seed: seed
        ).apply(to: try train(talks), name: "\(corpus) train")
        return splits.merging(held) { given, _ in given }
    }

    private func train(_ talks: IWSLTCorpus?) throws -> ParallelText {
        if let text = try files(trainFiles) { return text }
        if let tsv { return try ParallelText(tsv: tsv, sourceColumn: sourceColumn - 1, targetColumn: targetColumn - 1) }
        return try talks?.train(source: languages[0], target: languages[1]) ?? ParallelText()
    }

    private func files(_ paths: (String?, String?)) throws -> ParallelText? {
        guard let source = paths.0, let target = paths.1 else { return nil }
        return try ParallelText(source: source, target: target)
    }
}

extension String {
    fileprivate var isFolder: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: self, isDirectory: &isFolder) && isFolder.boolValue
    }
}
