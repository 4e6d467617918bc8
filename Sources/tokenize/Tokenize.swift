import ArgumentParser
import Corpus
import Kernels
import Stages

/// Raw parallel text to vocabularies and token shards.
@main
struct Tokenize: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn parallel text into a vocabulary and shards of ids for training, validation and test.",
        discussion: """
            Training text comes from two aligned files, from a table of tab-separated pairs, from IWSLT archives, or \
            (the default) from the phrasebook that comes with the project. Files may be gzip, pipes or - for standard \
            input, the table may be in a zip. Validation and test sentences come from files or IWSLT sets of their \
            own; where none are given they are held out of the training text, so that no sentence is on both sides.

            With --join 8 a text is one to eight consecutive sentences, so that length can be learnt; --join-test 4 \
            makes every text of the test four. Sentences and their order stay the same, so that scores of these \
            folders can be compared; the vocabulary may differ in a few words, which are written otherwise at the \
            beginning of a text. The counts are then of texts.

            The vocabulary is learnt from the training text alone. Training and validation pairs with an empty side or \
            too many tokens are dropped and counted; test pairs are all kept.

            The output folder holds train, valid and test .safetensors (token ids and offsets), source and target \
            .model (standard SentencePiece models, or word lists) and .vocab, the text of validation and test, and \
            manifest.json.

            EXAMPLES
              tokenize --pair en-de --output runs/phrasebook/tokens

              tokenize --corpus multi30k --pair en-de --train-source train.en.gz \\
                  --train-target train.de.gz --valid-source val.en.gz \\
                  --valid-target val.de.gz --test-source test_2016_flickr.en.gz \\
                  --test-target test_2016_flickr.de.gz --output runs/multi30k/tokens

              tokenize --corpus tatoeba --pair en-fr --tsv fra-eng.zip \\
                  --output runs/tatoeba/tokens

              tokenize --corpus iwslt2017 --pair en-de --iwslt en-de.tgz \\
                  --valid-set dev2010 --test-set tst2015 --output runs/iwslt2017/tokens

              tokenize --pair en-de --join 8 --join-test 4 --max-tokens 400 \\
                  --output runs/long/tokens

            The test sets of 2016 and 2017 came with one side only: for these give the archives of both directions, \
            --iwslt en-de.tgz --iwslt de-en.tgz.

            EXIT CODES
              64  wrong usage                73  cannot write
              65  bad data                   74  input/output error, no space
              66  missing input              75  folder in use by another run
              70  an error of its own        129, 130, 143  interrupted
              71  no memory, no threads
            """,
        version: Program.version(of: "tokenize"))

    @OptionGroup(title: "Text") var text: TextOptions
    @OptionGroup(title: "Longer texts") var texts: JoinOptions
    @OptionGroup(title: "Vocabulary and filter") var tokens: VocabularyOptions

    @Option(help: ArgumentHelp("Where to write, by convention runs/NAME/tokens.", valueName: "folder"))
    var output: String

    @OptionGroup var results: JSONOption
    @OptionGroup var options: StageOptions

    var idleOptions: [IdleOptions] { text.idle + [tokens.idle] }

    func run() throws {
        Signals.uninstall()  // text may come from a pipe, for long; what follows installs them again
        let plan = TokenizePlan(
            text: text.settings, joined: texts.joined(seed: text.seed), vocabulary: tokens.settings(for: text),
            joint: tokens.isJoint, filter: tokens.filter)
        let files = InputFiles(), opened = try text.open(files)
        let made = try StageRun.perform(
            StageWork(
                Self.stage, configuration: plan, inputs: files.all.map(StageInput.file), seed: text.seed),
            options: options, output: output
        ) { run -> TokensConfiguration in
            let splits = try opened.read()
            for (split, wanted) in text.heldOut {
                guard let found = splits[split]?.count, found < wanted else { continue }
                run.log.warning(
                    """
                    held out \(found) of \(wanted) pairs for \(split.rawValue): the others share sentences with too \
                    many more, which would have to come along
                    """)
            }
            var tokens = try plan.writer.write(
                plan.joined?.apply(to: splits) ?? splits, to: run.folder, pool: WorkerPool(threads: run.threads),
                progress: TokenizeProgress(run).update)
            for split in Split.allCases where text.asksFor(split) { try tokens.requireKept(split, name: text.corpus) }
            if let joined = plan.joined { tokens.note(joined, of: splits) }
            tokens.record(in: run)
            try run.publish(tokens)
            return tokens
        }
        // who asks for numbers gets them of a complete folder too
        if results.json {
            try Results.printJSON(made ?? TokenFolder(path: output).configuration)
        } else if let made {
            print(made.summary)
        }
    }
}

/// Everything that decides what is written, for the registry.
struct TokenizePlan: Encodable {
    let text: TextSettings
    /// nil: a text is a sentence.
    let joined: JoinedSentences?
    let vocabulary: VocabularySettings
    let joint: Bool
    let filter: PairFilter

    var writer: TokenFolderWriter {
        TokenFolderWriter(
            corpus: text.corpus, source: text.source, target: text.target, vocabulary: vocabulary, joint: joint,
            filter: filter)
    }
}
