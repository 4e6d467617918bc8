#!/usr/bin/env python3
"""Writes the golden files beside this script.

    python generate.py

Made with Python 3.11.7, sacreBLEU 2.6.0, NumPy 2.4.6, NLTK 3.10.4 and regex 2026.11.19, seed 20240229. Other versions
of sacreBLEU may define scores differently; Python 3.12 sums logarithms with compensation, and NumPy 1 does not keep single
precision in resampled scores: with those the last digits differ. NumPy's normal numbers, from which `means` are made,
differ in the last digit between machines.

    strings.json      [[line, its 13a tokens, its lower case], ...]
    tokens.json       [[line, its tokens by char, intl, zh], ...]
    odd.*  plain.*    corpora: hypotheses by system, references
    expected.json     sentence statistics, scores, confidence, paired tests, printed reports of the corpora, random draws,
                      what characters are to the tokenizers
    flags.*           what sacreBLEU's command prints of plain.c, with all options that `score` has too
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import regex
from nltk.translate.bleu_score import corpus_bleu
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

SEED = 20240229
HERE = Path(__file__).parent

SPACES = [" ", "  ", "\t", "\u00a0", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u1680", "\x0b", "\x0c", "\x1c",
          "\x1d", "\x1e", "\x1f", "\x85", "\u200b", "\ufeff", "\u180e", "\u2060", "\r"]
ODD = ["<skipped>", "<skip<skipped>ped>", "&quot;", "&amp;", "&lt;", "&gt;", "&amp;quot;", "&amp;lt;skipped&gt;", "&", "&nbsp;", "&#39;", "-",
       "--", "---", "1,000.5", "1.", "3-4", ".5", ",5", "5,", "5.", "-5", "5-", "1.000,00", "3.-4", "..", "...", ",,", ".,", ".a", "a.", "a.b",
       "1.a", "a.1", "U.S.", "e.g.", "don't", "l'homme", "aujourd'hui", "(hi)", "[x]", "{y}", "a/b", "a\\b", "x_y", "^", "`", "~", "|", "@", "#1", "$5",
       "50%", "*", "+", "=", "<b>", "?!", "!", ";", ":", "\"", "''", "“quoted”", "„so“", "«ça»", "–", "—", "…", "é", "e\u0301", "Å", "A\u030a",
       "ñ", "ß", "ẞ", "İstanbul", "I", "ı", "ΟΔΟΣ", "Σ", "ΑΣ.", "ΣΑΣ", "Α\u0301Σ\u0301", "Σ1Σ", "DŽ", "Ǆ", "ﬁ", "Éa", "日本語", "你好。", "，", "、", "한국어", "ไทย", "العربية",
       "हिन्दी", "١٢٣", "٣.٤", "１，０００", "²", "½", "😀", "👩\u200d👩\u200d👧", "🇩🇪", "\U0001F44D\U0001F3FD", "𝒳", "\U00010400", "\x00", "\x7f", "\ufffd", "\ue000",
       "aaaa", "abababab", "the the the", "!!!!!", "x" * 30]
WORDS = ["a", "man", "in", "the", "dog", "Two", "people", "walking", "street", "Ein", "Hund", "läuft", "über", "die", "Straße", "une", "fille",
         "à", "côté", "de", "l'eau", "with", "red", "shirt", "and", "of", "on", "is", "sitting", "young", "boy", "playing", "ball", "grün",
         "near", "2", "12", "3.5", "1,000", "well-known", "T-shirt", "U.S."]
# What the tokenizers for other scripts tell apart.
SCRIPTS = ["你好", "世界。", "（是）", "《書》", "3.5公里", "1，000", "２０２４年", "ＡＢＣ", "\u3400", "\u4dbf", "\u9fbb", "\u9fbc", "\u2a6d", "\u2a6e",
           "\u2000", "\u2001", "\u2f80", "\u2fdf", "\u2fe0", "\U00020000", "\U0002f800", "㈱", "㍿", "ㄅ", "ㆠ", "⼀", "⿰", "ｶﾅ", "カナ", "が", "한국",
           "“a”", "‘b’", "«c»", "„d“", "e—f", "g…", "5–6", "→", "€5", "5€", "£", "¥", "₿", "©", "™", "№5", "±", "×", "÷", "≤", "√2", "½", "x²", "Ⅳ", "٣٫٤",
           "१.२", "。3", "3。4", "5·6", "·", "a·b", "¿que?", "¡ya!", "§", "°C", "5°", "'s", "5's", "-5", "5-", "a-b", "_", "a_b", "@x", "#1", "^", "`", "~",
           "$1.50", "+1", "1+1", "=", "<b>", "1.", "2024.", ".5", "5,", "☃", "❤", "😀", "👍🏽", "a\u0301.", "·1", "1·", "٪5", "5٪", "؟", "،", "۔", "।", "՞"]


def piece(rng):
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(WORDS)
    if kind < 0.9:
        return rng.choice(ODD)
    if kind < 0.95:
        return "".join(rng.choice(".,-0123456789aZ'\"&<>;") for _ in range(rng.randint(1, 8)))
    return chr(rng.choice([rng.randint(0x20, 0x7E), rng.randint(0xA0, 0x24F), rng.randint(0x370, 0x3FF), rng.randint(0x2000, 0x206F)]))


def odd_line(rng, breaks):
    """A line of oddities glued with or without white space; only with `breaks` has it line breaks inside."""
    if rng.random() < 0.03:
        return rng.choice(["", " ", "\u00a0", "-", ".", "<skipped>", "\x1c"])
    line = ""
    for _ in range(rng.randint(1, 9)):
        line += piece(rng)
        kind = rng.random()
        if kind < 0.5:
            line += " "
        elif kind < 0.75:
            line += rng.choice(SPACES)
        elif breaks and kind < 0.8:
            line += rng.choice(["\n", "-\n", " -\n", "-<skipped>\n", "-\r\n", "\n\n"])
    return line + rng.choice(["", "", ".", " .", "-", " \u3000"])


def noisy(rng, line, rate):
    """A copy with words dropped, doubled, swapped and replaced."""
    words = line.split(" ")
    result = []
    for word in words:
        kind = rng.random()
        if kind < rate * 0.25:
            continue
        if kind < rate * 0.5:
            word = rng.choice(WORDS)
        elif kind < rate * 0.6:
            result.append(word)
        elif kind < rate * 0.7:
            word = word.upper()
        elif kind < rate and result:
            result.insert(-1, word)
            continue
        result.append(word)
    return " ".join(result)


def plain_line(rng):
    count = rng.randint(4, 18)
    words = [WORDS[min(int(rng.expovariate(0.09)), len(WORDS) - 1)] for _ in range(count)]
    for index in range(len(words) - 1):
        if rng.random() < 0.06:
            words[index] += ","
    return " ".join(words) + "."


def write(name, lines):
    (HERE / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")


def read(name):
    return [line.rstrip() for line in open(HERE / name, encoding="utf-8", newline="\n")]


def bleu_dict(score):
    return {"score": float(score.score), "counts": [int(x) for x in score.counts], "totals": [int(x) for x in score.totals],
            "precisions": [float(x) for x in score.precisions], "bp": score.bp, "ratio": float(score.ratio),
            "sys_len": score.sys_len, "ref_len": score.ref_len, "text": str(score)}


def other_line(rng):
    """A line of any script, glued with or without white space."""
    line = rng.choice(["", "", "", "", " ", "\u3000", "\u2003"])
    for _ in range(rng.randint(1, 10)):
        line += rng.choice(SCRIPTS) if rng.random() < 0.6 else piece(rng)
        kind = rng.random()
        line += " " if kind < 0.35 else rng.choice(SPACES) if kind < 0.45 else ""
    return line


def further_reference(rng, line):
    """Another reference for the line of a first one: of another length as a rule, now and then of none."""
    kind = rng.random()
    words = noisy(rng, line, 0.4).split(" ")
    if kind < 0.05:
        return ""
    if kind < 0.3:
        return " ".join(words[: rng.randint(1, len(words))])
    if kind < 0.5:
        return " ".join(words + [rng.choice(WORDS) for _ in range(rng.randint(1, 5))])
    return " ".join(words)


METRICS = {
    "BLEU": lambda: BLEU(),
    "BLEU lc": lambda: BLEU(lowercase=True),
    "BLEU none": lambda: BLEU(tokenize="none"),
    "BLEU eff": lambda: BLEU(effective_order=True),
    "chrF2": lambda: CHRF(),
    "chrF2 lc": lambda: CHRF(lowercase=True),
    "chrF2+": lambda: CHRF(word_order=1),
    "chrF2++": lambda: CHRF(word_order=2),
    "chrF1": lambda: CHRF(beta=1),
    "chrF2 nc3": lambda: CHRF(char_order=3),
}


VARIANTS = {
    "BLEU": lambda: BLEU(),
    "BLEU lc": lambda: BLEU(lowercase=True),
    "BLEU none": lambda: BLEU(tokenize="none"),
    "BLEU char": lambda: BLEU(tokenize="char"),
    "BLEU intl": lambda: BLEU(tokenize="intl"),
    "BLEU zh": lambda: BLEU(tokenize="zh"),
    "BLEU intl lc": lambda: BLEU(tokenize="intl", lowercase=True),
    "chrF2": lambda: CHRF(),
    "chrF2+": lambda: CHRF(word_order=1),
    "chrF2++": lambda: CHRF(word_order=2),
    "chrF3++ lc nc4": lambda: CHRF(beta=3, word_order=2, lowercase=True, char_order=4),
    "chrF0": lambda: CHRF(beta=0),
}


def corpus_case(hypotheses, references, resamples, metrics=METRICS):
    case = {}
    for label, make in metrics.items():
        metric = make()
        score = metric.corpus_score(hypotheses, references)
        entry = {"name": score.name, "score": float(score.score), "signature": str(metric.get_signature())}
        if label.startswith("BLEU"):
            entry["bleu"] = bleu_dict(score)
        if resamples:
            with_ci = metric.corpus_score(hypotheses, references, n_bootstrap=resamples)
            entry["mean"], entry["ci"] = float(with_ci._mean), float(with_ci._ci)
            entry["signature_ci"] = str(metric.get_signature())
        case[label] = entry
    return case


def sentence_statistics(hypotheses, references):
    """Rows of the metrics' own statistics, in which every sentence counts."""
    return {label: ["".join(f"{x} " for x in row).strip() for row in METRICS[label]()._extract_corpus_statistics(hypotheses, references)]
            for label in ["BLEU", "chrF2++"]}


def paired_case(baseline, systems, references, kind, trials, seed):
    os.environ["SACREBLEU_SEED"] = str(seed)
    metrics = {"BLEU": BLEU(references=references), "CHRF": CHRF(references=references)}
    named = [("Baseline: a", baseline)] + systems
    signatures, scores = PairedTest(named, metrics, references=None, test_type=kind, n_samples=trials)()
    del os.environ["SACREBLEU_SEED"]
    number = lambda x: None if x is None else float(x)
    return {"kind": kind, "trials": trials, "seed": seed, "signatures": {k: str(v) for k, v in signatures.items()},
            "results": {k: [{"score": number(r.score), "p": number(r.p_value), "mean": number(r.mean), "ci": number(r.ci)} for r in v]
                        for k, v in scores.items() if k != "System"}}


def command_line(*arguments):
    return subprocess.run([sys.executable, "-m", "sacrebleu", *arguments], check=True, cwd=HERE, text=True, encoding="utf-8",
                          capture_output=True, env={**os.environ, "NO_COLOR": "1"}).stdout


def draws():
    result = []
    for seed in [0, 1, 12345, 2**32 - 1, 2**32, 2**63 + 12345]:
        entry = {"seed": str(seed), "raw": [str(x) for x in np.random.default_rng(seed).bit_generator.random_raw(8)], "integers": {}}
        for bound in [1, 2, 3, 7, 1000, 1014, 2**16, 3 * 2**30, 2**31 + 1, 2**32 - 1]:
            entry["integers"][str(bound)] = [int(x) for x in np.random.default_rng(seed).choice(bound, size=(5, 7)).flat]
        bits = np.random.default_rng(seed).integers(2, size=(7, 45), dtype=bool)
        entry["heads"] = [[int(i) for i in np.flatnonzero(row)] for row in bits]
        result.append(entry)
    return result


def means():
    """NumPy's and Python's averages of arrays of awkward lengths."""
    import statistics
    result = []
    for count in [1, 2, 7, 8, 9, 15, 16, 17, 127, 128, 129, 136, 200, 257, 1000]:
        generator = np.random.default_rng(count)
        values = np.sort(generator.normal(30, 5, count)) if count % 2 else np.abs(generator.normal(0, 10.0 ** generator.integers(-12, 3, count)))
        single = values.astype("float32")
        result.append({"values": values.tolist() if count <= 257 else None, "seed": count, "pairwise": float(values.mean()),
                       "pairwise_single": float(single.mean()), "exact": statistics.mean(values.tolist())})
    return [r for r in result if r["values"]]


def paper_compat(systems, references):
    tokens = lambda lines: [["<s>"] + line.split() + ["</s>"] for line in lines]
    return {name: corpus_bleu([[r] for r in tokens(references)], tokens(lines)) for name, lines in systems.items()}


def several(rng):
    """Corpora under more metrics, of one to three references: texts, or the names of files with them."""
    for name in ["plain", "odd"]:
        lines = read(f"{name}.references")
        for number in [2, 3]:
            write(f"{name}.references.{number}", [further_reference(rng, line) for line in lines])
    hypotheses = ["a b c d", "a b c d", "abc", "abc", "the the the the cat", "", "x y", "a b", "one two three four five six"]
    first = ["a b c", "a b c d e", "xyz", "uvwx yz", "the cat the", "a b", "", "c d e", "one two three four"]
    second = ["a b c d e", "a b c", "uvwx yz", "xyz", "the the dog the the", "", "x", "a", "three four five six one two seven eight"]
    files = lambda name, count: [f"{name}.references" + (f".{n}" if n > 1 else "") for n in range(1, count + 1)]
    cases = {f"{name} {count}": (f"{name}.{system}", files(name, count))
             for name, system in [("plain", "c"), ("odd", "a")] for count in [1, 2, 3]}
    cases |= {"ties": (hypotheses, [first, second]), "ties the other way": (hypotheses, [second, first])}
    text = lambda lines: read(lines) if isinstance(lines, str) else lines
    result = {}
    for name, (system, references) in cases.items():
        texts = text(system), [text(r) for r in references]
        result[name] = {"hypotheses": system, "references": references, "resamples": 60,
                        "metrics": corpus_case(*texts, 60, VARIANTS),
                        "statistics": sentence_statistics(*texts) if name in ["plain 3", "ties", "ties the other way"] else None}
    return result


def characters():
    """The characters of each kind, as ranges of hexadecimal code points."""
    patterns = {kind: regex.compile(rf"\p{{{kind}}}") for kind in "NPS"}
    kinds = {kind: pattern.match for kind, pattern in patterns.items()} | {"zh": TokenizerZh._is_chinese_char}
    result = {}
    for kind, matches in kinds.items():
        ranges = []
        for code in range(0x110000):
            if 0xD800 <= code < 0xE000 or not matches(chr(code)):
                continue
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
        result[kind] = " ".join(f"{first:x}-{last:x}" for first, last in ranges)
    return result


def write_flags():
    options = ["--lowercase", "--tokenize", "intl", "--chrf-lowercase", "--chrf-char-order", "4", "--chrf-word-order", "2",
               "--chrf-beta", "3", "-m", "bleu", "chrf"]
    references = ["plain.references", "plain.references.2", "plain.references.3"]
    for name, arguments in {
        "flags.json": ["-i", "plain.c", "-w", "17"],
        "flags.txt": ["-i", "plain.c", "-f", "text", "--confidence", "--confidence-n", "100"],
        "flags.paired.json": ["-i", "plain.a", "plain.c", "--paired-ar", "--paired-ar-n", "100"],
    }.items():
        (HERE / name).write_text(command_line(*references, *arguments, *options), encoding="utf-8")


def main():
    rng = random.Random(SEED)
    tokenize = Tokenizer13a()
    lines = [odd_line(rng, breaks=True) for _ in range(2200)] + ODD + SPACES
    strings = [[line, tokenize(line.rstrip()), line.lower()] for line in lines]
    (HERE / "strings.json").write_text("[\n" + ",\n".join(json.dumps(s, ensure_ascii=False) for s in strings) + "\n]\n", encoding="utf-8")

    odd = [odd_line(rng, breaks=False) for _ in range(700)]
    write("odd.references", odd)
    write("odd.a", [noisy(rng, line, 0.3) if rng.random() < 0.9 else odd_line(rng, False) for line in odd])
    plain = [plain_line(rng) for _ in range(250)]
    write("plain.references", plain)
    for system, rate in [("a", 0.5), ("b", 0.48), ("c", 0.35)]:
        write(f"plain.{system}", [noisy(rng, line, rate) for line in plain])

    data = {name: (read(f"{name}.a"), read(f"{name}.references")) for name in ["odd", "plain"]}
    other = random.Random(SEED + 1)
    tokenizers = [TokenizerChar(), TokenizerV14International(), TokenizerZh()]
    lines = [other_line(other) for _ in range(500)] + SCRIPTS
    tokens = [[line, *(" ".join(t(line.rstrip()).split()) for t in tokenizers)] for line in lines]
    (HERE / "tokens.json").write_text("[\n" + ",\n".join(json.dumps(t, ensure_ascii=False) for t in tokens) + "\n]\n", encoding="utf-8")
    further = several(other)

    b, c = read("plain.b"), read("plain.c")
    hyp, ref = data["plain"]
    scarce = (["x y z", "a man in", "q", ""], ["a b c", "a man at", "w", "the dog"])
    data |= {"one": (hyp[:1], ref[:1]), "same": (ref[:20], ref[:20]), "nothing": (["x y", "z"], ["a b", "c d e"]), "empty": (["", ""], ["", ""]),
             "empty hypotheses": (["", ""], ref[:2]), "empty references": (hyp[:2], ["", ""]), "scarce": scarce, "short": (["a b", "the dog"], ["a b", "the dog"]),
             "long": ([" ".join(hyp)], [" ".join(ref)])}
    no_ci = {"scarce", "nothing", "empty", "empty hypotheses", "empty references"}

    expected = {
        "corpora": {name: {"hypotheses": None if name in ["odd", "plain"] else h, "references": None if name in ["odd", "plain"] else r,
                           "resamples": 0 if name in no_ci else 60, "metrics": corpus_case(h, [r], 0 if name in no_ci else 60)}
                    for name, (h, r) in data.items()},
        "statistics": {name: sentence_statistics(data[name][0], [data[name][1]]) for name in ["odd"]},
        "paired": [paired_case(hyp, [("b", b), ("c", c)], [ref], kind, trials, seed)
                   for kind, trials, seed in [("bs", 300, 12345), ("bs", 137, 7), ("ar", 500, 12345), ("ar", 133, 99)]],
        "paired_scarce": [paired_case(scarce[0], [("b", ["a b", "a man", "w", "x"])], [scarce[1]], kind, 200, 12345) for kind in ["bs", "ar"]],
        "printed": {
            "json": command_line("odd.references", "-i", "odd.a", "-m", "bleu", "chrf", "-w", "4"),
            "json_ci": command_line("plain.references", "-i", "plain.a", "-m", "bleu", "chrf", "-w", "2", "--confidence", "--confidence-n", "200"),
            "json_full": command_line("plain.references", "-i", "plain.a", "-m", "bleu", "chrf", "-w", "17"),
            "text": command_line("odd.references", "-i", "odd.a", "-m", "bleu", "chrf", "-f", "text"),
            "text_ci": command_line("plain.references", "-i", "plain.b", "-m", "bleu", "chrf", "-f", "text", "-w", "3", "--confidence", "--confidence-n", "200"),
            "paired": command_line("plain.references", "-i", "plain.a", "plain.c", "-m", "bleu", "--paired-bs", "--paired-bs-n", "100"),
            "paired_ar": command_line("plain.references", "-i", "plain.a", "plain.c", "-m", "bleu", "chrf", "--paired-ar", "--paired-ar-n", "100"),
        },
        "paper_compat": paper_compat({"plain.a": hyp, "plain.b": b, "plain.c": c}, ref),
        "draws": draws(),
        "means": means(),
        "several": further,
        "paired_several": [paired_case(hyp, [("b", b), ("c", c)], [read(f"plain.references{n}") for n in ["", ".2", ".3"]], kind, 120, 5)
                           for kind in ["bs", "ar"]],
        "characters": characters(),
    }
    write_flags()
    (HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
