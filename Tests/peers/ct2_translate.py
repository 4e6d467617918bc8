"""Output tokens per second of CTranslate2 on the teacher's shape with random weights.

Every translation is forced to the same length, so that the weights do not matter. Both ways of using the threads (all in one
batch, or a batch a thread) are tried with every size of batch that is given; the best is then measured.
"""

import argparse
import json
import os
import tempfile
import time
from itertools import product

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec

from workload import sentences, vocabulary_sizes

WIDTH, HEADS, LAYERS, HIDDEN, POSITIONS = 128, 8, 6, 512, 512
random = np.random.default_rng(1)


def pieces(size: int) -> list[str]:
    """Stand-ins for the vocabulary: CTranslate2 wants names."""
    return ["<unk>", "<s>", "</s>", *map(str, range(3, size))]


def sinusoids() -> np.ndarray:
    angle = np.arange(POSITIONS)[:, None] * 10000.0 ** (-np.arange(0, WIDTH, 2) / WIDTH)
    return np.stack((np.sin(angle), np.cos(angle)), -1).reshape(POSITIONS, WIDTH).astype(np.float32)


def fill_linear(spec, outputs: int, inputs: int):
    spec.weight = random.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
    spec.bias = np.zeros(outputs, np.float32)


def fill_norm(spec):
    spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)


def fill_attention(spec, *outputs: int):
    fill_norm(spec.layer_norm)
    for linear, count in zip(spec.linear, outputs, strict=True):
        fill_linear(linear, count, WIDTH)


def fill_stack(stack, embedding, size: int):
    embedding.weight = random.normal(0, WIDTH**-0.5, (size, WIDTH)).astype(np.float32)
    embedding.multiply_by_sqrt_depth = True
    stack.position_encodings.encodings = sinusoids()
    fill_norm(stack.layer_norm)
    for layer in stack.layer:
        fill_attention(layer.self_attention, 3 * WIDTH, WIDTH)
        if hasattr(layer, "attention"):
            fill_attention(layer.attention, WIDTH, 2 * WIDTH, WIDTH)
        fill_norm(layer.ffn.layer_norm)
        fill_linear(layer.ffn.linear_0, HIDDEN, WIDTH)
        fill_linear(layer.ffn.linear_1, WIDTH, HIDDEN)


def write_model(folder: str, source_size: int, target_size: int):
    spec = TransformerSpec.from_config((LAYERS, LAYERS), HEADS, pre_norm=True)
    fill_stack(spec.encoder, spec.encoder.embeddings[0], source_size)
    fill_stack(spec.decoder, spec.decoder.embeddings, target_size)
    fill_linear(spec.decoder.projection, target_size, WIDTH)
    spec.register_source_vocabulary(pieces(source_size))
    spec.register_target_vocabulary(pieces(target_size))
    spec.validate()
    spec.optimize()
    spec.save(folder)


class Search:
    """One way of translating: threads inside a batch or beside each other, source tokens of a batch."""

    def __init__(self, model: str, workers: int, threads: int, batch_tokens: int, args):
        self.name = f"inter_threads={workers}, intra_threads={threads}, batches of {batch_tokens}"
        self.translator = ctranslate2.Translator(
            model, device="cpu", compute_type=args.compute_type, inter_threads=workers, intra_threads=threads)
        self.options = dict(
            beam_size=args.beam, min_decoding_length=args.length, max_decoding_length=args.length, batch_type="tokens", max_batch_size=batch_tokens)

    def tokens(self, lines: list[list[str]]) -> int:
        """Translates; CTranslate2 sorts by length and cuts into batches itself. Returns how many tokens came out."""
        return sum(len(result.hypotheses[0]) for result in self.translator.translate_batch(lines, **self.options))

    def rate(self, lines: list[list[str]], seconds: float = 0) -> float:
        """Tokens per second of as many rounds as begin within these seconds, one at least."""
        tokens, started = 0, time.perf_counter()
        while True:
            tokens += self.tokens(lines)
            if (elapsed := time.perf_counter() - started) >= seconds:
                return tokens / elapsed


def measure(model: str, lines: list[list[str]], args) -> dict:
    ways = {(1, args.threads): None, (args.threads, 1): None}  # one way where there is one thread

    def trial(way: tuple[int, int], size: int, seconds: float = 0) -> tuple[str, float]:
        """One translator at a time, so that no other's threads are awake."""
        search = Search(model, *way, size, args)
        search.tokens(lines[:64])  # threads and memory are there when the clock starts
        return search.name, search.rate(lines, seconds)

    trials = {choice: trial(*choice) for choice in product(ways, args.batch_tokens)}
    best = max(trials, key=lambda choice: trials[choice][1])
    name, rate = trial(*best, args.seconds)
    return {"tokens_per_second": rate, "way": name, "sentences": len(lines), "trials": dict(trials.values())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", required=True, help="folder made by tokenize, whose test split is translated")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--length", type=int, default=14, help="tokens of every translation")
    parser.add_argument("--compute-type", default="float32", help="as CTranslate2 names them: float32, int8")
    parser.add_argument("--seconds", type=float, default=10, help="how long the best way is measured")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[1500], help="source tokens of a batch; the best of several is taken")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    sizes = vocabulary_sizes(args.tokens)
    names = pieces(sizes[0])
    lines = [[names[id] for id in sentence] for sentence in sentences(args.tokens, "test", "source") if sentence]
    with tempfile.TemporaryDirectory() as model:
        write_model(model, *sizes)
        result = measure(model, lines, args) | {"version": ctranslate2.__version__}
    if args.json:
        print(json.dumps(result))
    else:
        print(f"CTranslate2 {result['version']}, {result['way']}: {result['tokens_per_second']:,.0f} output tokens/s")


if __name__ == "__main__":
    main()
