"""Training, distillation and translation, these programs and their peers in turn, on one machine in one sitting.

    work                                compared with
    training the teacher                PyTorch, eager
    distilling mix-l                    PyTorch, eager
    translating, greedy and beam of 4   CTranslate2, float32 and int8

Only ratios of one sitting mean something, and only on a machine that does nothing else. Needs the packages of requirements.txt.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import harmonic_mean, median
from time import monotonic

HERE = Path(__file__).parent
BATCH_TOKENS = 1500
CTRANSLATE2_BATCHES = (500, 1500, 4500)
LENGTH = 14
CALIBRATION_STEPS = 10
# Of a batch in distillation, as the recipe has it.
DISTILLATION_TOKENS = 500
# Slots and hidden units of mix-l, by attention.
MIXERS = {"encoder": (16, 48), "decoder": (16, 48), "cross": (32, 60)}
# Freed memory is kept instead of given back to the system in every step: PyTorch is faster so, CTranslate2 is not.
PYTORCH_ENVIRONMENT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32 - 1), "MALLOC_TOP_PAD_": str(2**26)}


def run(command: list, environment: dict[str, str] | None = None) -> str:
    """Standard output of a command; ends this program with the command's last words if it fails."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | (environment or {}))
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit(f"compare: {' '.join(Path(word).name for word in words[:2])} ended with {done.returncode}: {last}")
    return done.stdout


class Ours:
    """The programs of this project; their rates come from the registry that they write."""

    name = "ours"

    def __init__(self, args, scratch: str):
        self.args, self.scratch, self.registry = args, Path(scratch), Path(scratch, "registry.sqlite")
        self.steps = CALIBRATION_STEPS
        self.distilling = {}

    def stage(self, program: str, output: str, *options, reads_tokens: bool = True) -> float:
        run([
            self.args.bin / program, *(["--tokens", self.args.tokens] if reads_tokens else []), "--output", self.scratch / output, *options,
            "--threads", self.args.threads, "--registry", self.registry, "--force", "--quiet"])
        query = "select value from metrics where key in ('tokens_per_second', 'layer.0.tokens_per_second') order by run desc limit 1"
        with sqlite3.connect(self.registry) as registry:
            return registry.execute(query).fetchone()[0]

    def calibrate(self):
        """Finds how many steps take the wanted time."""
        self.steps = max(CALIBRATION_STEPS, round(self.args.seconds * self.train()["tokens_per_second"] / BATCH_TOKENS))

    def train(self) -> dict:
        """At most one epoch."""
        rate = self.stage(
            "train", "train", "--preset", "paper", "--epochs", 1, "--max-steps", self.steps, "--batch-tokens", BATCH_TOKENS)
        return {"tokens_per_second": rate, "steps": self.steps}

    def distill(self, attention: str) -> dict:
        """As many steps as take the wanted time; what is read was captured from the model that training left."""
        if not (self.scratch / "capture").exists():
            run([
                self.args.bin / "capture", "--model", self.scratch / "train", "--tokens", self.args.tokens, "--attentions", *MIXERS,
                "--layers", 0, "--output", self.scratch / "capture", "--registry", self.registry, "--quiet"])

        def rate(steps: int) -> float:
            return self.stage(
                "distill", attention, "--capture", self.scratch / "capture", "--spec", f"mix-l.{attention}.0", "--epochs", 1000,
                "--max-steps", steps, "--batch-tokens", self.args.distillation_tokens, reads_tokens=False)

        if attention not in self.distilling:
            self.distilling[attention] = max(CALIBRATION_STEPS, round(self.args.seconds * rate(10 * CALIBRATION_STEPS) / self.args.distillation_tokens))
        return {"tokens_per_second": rate(self.distilling[attention]), "steps": self.distilling[attention]}

    def translate(self, beam: int, precision: str) -> dict:
        """As many runs as begin within the wanted time, together; the model is what training left."""
        rates, started = [], monotonic()
        while not rates or monotonic() - started < self.args.seconds:
            rates.append(self.stage(
                "score", f"beam-{beam}", "--model", self.scratch / "train", "--forced-length", LENGTH, "--beam", beam, "--precision", precision,
                "--resamples", 0))
        return {"tokens_per_second": harmonic_mean(rates), "runs": len(rates)}


class Theirs:
    """The peers, each in a process of its own."""

    name = "theirs"

    def __init__(self, args):
        self.args = args

    def script(self, name: str, *options, environment: dict[str, str] | None = None) -> dict:
        return json.loads(run([
            sys.executable, HERE / name, "--tokens", self.args.tokens, "--seconds", self.args.seconds,
            "--threads", self.args.threads, "--json", *options], environment))

    def train(self) -> dict:
        return self.script("torch_train.py", "--batch-tokens", BATCH_TOKENS, environment=PYTORCH_ENVIRONMENT)

    def distill(self, attention: str) -> dict:
        slots, hidden = MIXERS[attention]
        return self.script(
            "torch_distill.py", "--attention", attention, "--slots", slots, "--hidden", hidden, "--batch-tokens", self.args.distillation_tokens,
            environment=PYTORCH_ENVIRONMENT)

    def translate(self, beam: int, precision: str) -> dict:
        return self.script(
            "ct2_translate.py", "--beam", beam, "--length", LENGTH, "--compute-type", precision, "--batch-tokens", *CTRANSLATE2_BATCHES)


WORK = {
    "training, target tokens/s": ("PyTorch", lambda side: side.train()),
    "distilling mix-l.encoder, tokens/s": ("PyTorch", lambda side: side.distill("encoder")),
    "distilling mix-l.decoder, tokens/s": ("PyTorch", lambda side: side.distill("decoder")),
    "distilling mix-l.cross, target tokens/s": ("PyTorch", lambda side: side.distill("cross")),
    "greedy, output tokens/s": ("CTranslate2", lambda side: side.translate(1, "float32")),
    "beam of 4, output tokens/s": ("CTranslate2", lambda side: side.translate(4, "float32")),
    "greedy, int8, output tokens/s": ("CTranslate2", lambda side: side.translate(1, "int8")),
    "beam of 4, int8, output tokens/s": ("CTranslate2", lambda side: side.translate(4, "int8")),
}


def chosen(args) -> dict:
    return {work: what for work, what in WORK.items() if any(part in work for part in args.only)}


def measure(args) -> list[dict]:
    """Each piece of work, ours and theirs alternately."""
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        sides = [Ours(args, scratch), Theirs(args)]
        sides[0].calibrate()
        for work, (peer, perform) in chosen(args).items():
            details = {side.name: [] for side in sides}
            for turn in range(args.alternations):
                for side in sides:
                    print(f"{work}: {turn + 1} of {args.alternations}, {side.name}", file=sys.stderr)
                    details[side.name].append(perform(side))
            rates = {name: [one["tokens_per_second"] for one in turns] for name, turns in details.items()}
            ratio = median(ours / theirs for ours, theirs in zip(rates["ours"], rates["theirs"]))
            results.append({"work": work, "peer": peer, **rates, "ratio": ratio, "details": details})
    return results


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def conditions(args) -> dict:
    """What the figures depend on, as it is before anything is measured."""
    return {
        "processor": processor(), "cores": os.cpu_count(), "threads": args.threads, "load_average": round(os.getloadavg()[0], 2),
        "versions": {"PyTorch": version("torch"), "CTranslate2": version("ctranslate2"), "ours": run([args.bin / "train", "--version"]).strip()},
        "alternations": args.alternations, "seconds": args.seconds, "batch_tokens": BATCH_TOKENS,
        "distillation_tokens": args.distillation_tokens, "output_length": LENGTH}


def table(results: list[dict]) -> str:
    def numbers(values):
        return " ".join(f"{value:,.0f}" for value in values)

    rows = [("work", "ours", "theirs", "ratio", "ours, each", "theirs, each")]
    for one in results:
        medians = (numbers([median(one[side])]) for side in ("ours", "theirs"))
        rows.append((one["work"], *medians, f"{one['ratio']:.2f}", numbers(one["ours"]), numbers(one["theirs"])))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(
        cell.rjust(width) if 1 <= place <= 3 else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def notes(report: dict) -> str:
    """What was compared, in words."""
    where, theirs = report["conditions"], {one["work"]: one["details"]["theirs"] for one in report["results"]}

    def of(kind: str) -> dict:
        return {work: details for work, details in theirs.items() if kind in work}

    parts = [f"""\
{where['processor']}, {where['threads']} of {where['cores']} cores, load average {where['load_average']} at the start.
PyTorch {where['versions']['PyTorch']}, CTranslate2 {where['versions']['CTranslate2']}, ours {where['versions']['ours']}. Medians of {where['alternations']}, in turn; the ratio
is that of ours to theirs in the same turn, its median.
"""]
    for (training, *_) in of("training").values():
        parts.append(f"""\
Training: preset paper, float32, dropout 0.1; batches of at most {BATCH_TOKENS:,} target tokens, </s> counted. Ours are random and not
padded; PyTorch's are of like length, with {training['padding']:.1%} of all positions padding, which the rate leaves out. PyTorch's batches are
made before the clock starts.""")
    if distilling := of("distilling"):
        shares = ", ".join(f"{details[0]['padding']:.1%}" for details in distilling.values())
        parts.append(f"""\
Distilling: one layer, batches of about {report['conditions']['distillation_tokens']:,} tokens. Ours are random, not padded, and read from files in half precision;
PyTorch's are of like length ({shares} padding, which the rate leaves out), in memory and in single precision.""")
    if translating := of("output"):
        ways = "\n".join(f"  {work.removesuffix(', output tokens/s')}: {' | '.join(sorted({d['way'] for d in details}))}" for work, details in translating.items())
        parts.append(f"""\
Translating: {next(iter(translating.values()))[0]['sentences']:,} sentences of the test split, {LENGTH} tokens each, the same shape, float32 where not said. Ours: batches of about 108
hypotheses, a batch a thread. CTranslate2's best of both uses of threads and batches of {' '.join(map(str, CTRANSLATE2_BATCHES))} source tokens:
{ways}""")
    return "\n".join(parts)


def require(args):
    """Ends with one line if something is missing."""
    for program in ("train", "capture", "distill", "score"):
        if not os.access(args.bin / program, os.X_OK):
            sys.exit(f"compare: no program {program} in {args.bin}; build it first")
    if not (args.tokens / "manifest.json").exists():
        sys.exit(f"compare: {args.tokens} is no folder made by tokenize")
    for package in (HERE / "requirements.txt").read_text().split():
        try:
            version(package)
        except PackageNotFoundError:
            sys.exit(f"compare: no Python package {package}; install requirements.txt")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="folder of the programs")
    parser.add_argument("--tokens", type=Path, required=True, help="folder made by tokenize")
    parser.add_argument("--alternations", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="length of each measurement, about")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--distillation-tokens", type=int, default=DISTILLATION_TOKENS, help="tokens of a batch in distillation")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORDS", help="work in whose name some of these are, as distilling")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured here, too")
    args = parser.parse_args()
    if min(args.alternations, args.threads, args.distillation_tokens) < 1 or args.seconds <= 0:
        parser.error("alternations, threads, tokens and seconds must be positive")
    if not chosen(args):
        parser.error(f"--only: expected words of some of: {'; '.join(WORK)}")
    require(args)

    report = {"conditions": conditions(args), "results": measure(args)}
    load, cores = report["conditions"]["load_average"], report["conditions"]["cores"]
    if load > cores / 4:
        print(f"compare: the machine was not idle (load average {load}); the figures are worth little", file=sys.stderr)
    print(f"{table(report['results'])}\n\n{notes(report)}")
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
