import ArgumentParser
import Corpus
import Foundation
import Stages

/// Where the sentences come from.
struct TextOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Languages to translate from and to, such as en-de.", valueName: "from-to"))
    var pair = "en-de"

    @Option(
        help: "Name of the corpus. The one called phrasebook is generated, all others are read from the files below.")
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

    @Option(
        help: ArgumentHelp(
            "An IWSLT archive (.tgz) or its folder; give it again for the other direction.", valueName: "archive"))
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
        for (name, files) in [("train", trainFiles), ("valid", validFiles), ("test", testFiles)]
        where (files.0 == nil) != (files.1 == nil) {
            throw ValidationError("--\(name)-source and --\(name)-target belong together")
        }
        guard sourceColumn >= 1, targetColumn >= 1, sourceColumn != targetColumn else {
            throw ValidationError("--source-column and --target-column must be two columns from 1 on")
        }
        let origins = [trainSource != nil, tsv != nil, !iwslt.isEmpty && trainSource == nil && tsv == nil].filter { $0 }
            .count
        guard corpus != "phrasebook" || (origins == 0 && validSource == nil && testSource == nil) else {
            throw ValidationError("files need a name of their own: --corpus NAME")
        }
        guard corpus == "phrasebook" || origins == 1 else {
            throw ValidationError("corpus '\(corpus)' needs one, and only one, of --train-source, --tsv and --iwslt")
        }
        guard !isPhrasebook || max(holdOutValid, holdOutTest) <= 1_000_000 else {
            throw ValidationError("--hold-out-valid and --hold-out-test must be at most 1000000 for the phrasebook")
        }
    }

    var languages: [String] { pair.split(separator: "-", omittingEmptySubsequences: false).map(String.init) }
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
            corpus: corpus, source: languages[0], target: languages[1],
            columns: tsv == nil ? [] : [sourceColumn, targetColumn],
            sets: iwslt.isEmpty ? [] : [validSet, testSet], holdOut: [holdOutValid, holdOutTest])
    }

    /// Opens what the sentences come from. What is read from here on is in `files`, by content.
    func open(_ files: InputFiles) throws -> OpenText {
        func pair(_ role: String, _ paths: (String?, String?)) throws -> OpenText.Sides? {
            guard let source = paths.0, let target = paths.1 else { return nil }
            return (try files.open("\(role) source", source), try files.open("\(role) target", target))
        }
        if isPhrasebook {
            return OpenText(options: self, phrasebook: try Phrasebook(folder: phrasebook, through: files))
        }
        return OpenText(
            options: self, train: try pair("train", trainFiles), valid: try pair("valid", validFiles),
            test: try pair("test", testFiles),
            table: try tsv.map { try files.open("table", $0) },
            talks: iwslt.isEmpty ? nil : try IWSLTCorpus(archives: iwslt, through: files))
    }
}

/// What `TextOptions` name, opened and not yet taken apart.
struct OpenText {
    typealias Sides = (source: InputFile, target: InputFile)

    let options: TextOptions
    var phrasebook: Phrasebook?
    var train: Sides?
    var valid: Sides?
    var test: Sides?
    var table: InputFile?
    var talks: IWSLTCorpus?

    func read() throws -> [Split: ParallelText] {
        let languages = options.languages
        if let phrasebook {
            return try phrasebook.splits(
                source: languages[0], target: languages[1], valid: options.holdOutValid, test: options.holdOutTest,
                seed: options.seed)
        }
        var splits: [Split: ParallelText] = [:]
        splits[.valid] = try text(valid) ?? talks?.test(options.validSet, source: languages[0], target: languages[1])
        splits[.test] = try text(test) ?? talks?.test(options.testSet, source: languages[0], target: languages[1])
        let held = try HeldOutSplit(
            valid: splits[.valid] == nil ? options.holdOutValid : 0,
            test: splits[.test] == nil ? options.holdOutTest : 0, seed: options.seed
        ).apply(to: try trainText(), name: "\(options.corpus) train")
        return splits.merging(held) { given, _ in given }
    }

    private func trainText() throws -> ParallelText {
        if let train { return try ParallelText(source: train.source, target: train.target) }
        if let table {
            return try ParallelText(
                tsv: table, sourceColumn: options.sourceColumn - 1, targetColumn: options.targetColumn - 1)
        }
        return try talks?.train(source: options.languages[0], target: options.languages[1]) ?? ParallelText()
    }

    private func text(_ sides: Sides?) throws -> ParallelText? {
        try sides.map { try ParallelText(source: $0.source, target: $0.target) }
    }
}

extension TextOptions {
    /// Whether validation or test sentences were asked for.
    func asksFor(_ split: Split) -> Bool {
        switch split {
        case .train: true
        case .valid: validSource != nil || !iwslt.isEmpty || holdOutValid > 0
        case .test: testSource != nil || !iwslt.isEmpty || holdOutTest > 0
        }
    }

    /// How many pairs of the training text are to be set aside.
    var heldOut: [(split: Split, count: Int)] {
        guard !isPhrasebook, iwslt.isEmpty else { return [] }
        return (validSource == nil ? [(.valid, holdOutValid)] : []) + (testSource == nil ? [(.test, holdOutTest)] : [])
    }

    /// Options that what was chosen does not read.
    var idle: [IdleOptions] {
        var idle: [IdleOptions] = []
        if !isPhrasebook { idle.append(.init("--phrasebook", because: "the corpus is \(corpus)")) }
        if tsv == nil { idle.append(.init("--source-column", "--target-column", because: "there is no --tsv")) }
        if iwslt.isEmpty || validSource != nil {
            idle.append(.init("--valid-set", because: "validation text is not read from --iwslt"))
        }
        if iwslt.isEmpty || testSource != nil {
            idle.append(.init("--test-set", because: "test text is not read from --iwslt"))
        }
        if trainSource != nil || tsv != nil, validSource != nil, testSource != nil {
            idle.append(.init("--iwslt", because: "all text is read from files"))
        }
        if validSource != nil || !iwslt.isEmpty {
            idle.append(.init("--hold-out-valid", because: "there is validation text"))
        }
        if testSource != nil || !iwslt.isEmpty { idle.append(.init("--hold-out-test", because: "there is test text")) }
        return idle
    }
}
