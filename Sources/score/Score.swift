import ArgumentParser
import Stages

@main
struct Score: StageCommand {
    static let configuration = CommandConfiguration(
        abstract: "Translate with a model and score the translations, or score text files.",
        discussion: """
            BLEU, chrF2 and their signatures are sacreBLEU's, digit for digit, on plain detokenised text. \
            `paper-compat` is the figure of "Rethinking Attention" (Bozic et al. 2024): 0 to 1, on model tokens with \
            <s> and </s> counted, comparable with that paper's tables and with nothing else.

            A model on a split of a tokens folder: writes hypotheses.txt and scores.json, and records both in the \
            registry. With --base, the folder of another score on the same sentences, the difference is tested by \
            paired bootstrap.
              score --model runs/demo/train --tokens runs/demo/tokens \\
                  --output runs/demo/score/teacher
              score --model runs/demo/splice/alr-m.encoder --tokens runs/demo/tokens \\
                  --beam 4 --base runs/demo/score/teacher.beam-4 \\
                  --output runs/demo/score/alr-m.encoder.beam-4

            Text files, without a model, with sacreBLEU's options:
              score --hypotheses mine.txt --references theirs.txt --json
              score --hypotheses mine.txt --references one.txt two.txt --lowercase \\
                  --tokenize intl --chrf-word-order 2 --baseline other.txt --paired-ar

            Standard input to standard output, one sentence a line:
              echo 'The old king buys a red car.' | score --model runs/demo/train --beam 4
            """,
        version: Program.version(of: "score"))

    @OptionGroup var options: StageOptions
    @OptionGroup(title: "Model") var model: ModelScoringOptions
    @OptionGroup(title: "Search") var search: SearchOptions
    @OptionGroup(title: "Texts") var texts: TextScoringOptions
    @OptionGroup var result: JSONOption

    var idleOptions: [IdleOptions] {
        let ofTexts = DefinedArguments.names(of: TextScoringOptions.self)
        if texts.hypotheses != nil {
            return [.allBut(ofTexts + ["--json"], because: "two texts are compared")]
                + texts.idleOptions(json: result.json)
        }
        if model.tokens != nil {
            return [.init(ofTexts, because: "a model is scored; that of another model is its --base")] + search.idle
        }
        let ofSearch = DefinedArguments.names(of: SearchOptions.self)
        let idle = IdleOptions.allBut(
            ["--model", "--precision", "--threads", "--quiet"] + ofSearch, because: "standard input is translated")
        return [idle] + search.idle
    }

    func validate() throws {
        switch (model.model, texts.hypotheses) {
        case (nil, nil): throw ValidationError("give --model, or --hypotheses and --references")
        case (.some, .some): throw ValidationError("--model and --hypotheses exclude each other")
        case (nil, .some) where texts.references.isEmpty: throw ValidationError("--hypotheses needs --references")
        case (.some, nil) where (model.tokens == nil) != (model.output == nil):
            throw ValidationError("--tokens and --output go together; without both, standard input is translated")
        default: break
        }
    }

    func run() throws {
        if texts.hypotheses != nil {
            try texts.run(json: result.json)
        } else if model.tokens != nil {
            try model.run(options, search, json: result.json)
        } else {
            try model.translateStandardInput(options, search)
        }
    }
}
