"""Sentences of a folder made by `tokenize`, for the peers to work on."""

import json
import random
import time
from pathlib import Path

from safetensors.numpy import load_file

UNKNOWN, BEGIN, END = 0, 1, 2
"""Ids that mean the same in every vocabulary; shards hold neither BEGIN nor END, and no id stands for padding."""


def vocabulary_sizes(folder: str) -> tuple[int, int]:
    """Pieces of the source's and of the target's vocabulary."""
    configuration = json.loads(Path(folder, "manifest.json").read_text())["configuration"]
    return configuration["sourceVocabularySize"], configuration["targetVocabularySize"]


def sentences(folder: str, split: str, side: str) -> list[list[int]]:
    """The ids of each sentence of a split (train, valid, test) on one side (source, target)."""
    shard = load_file(Path(folder, f"{split}.safetensors"))
    ids, offsets = shard[f"{side}.tokens"].tolist(), shard[f"{side}.offsets"].tolist()
    return [ids[start:end] for start, end in zip(offsets, offsets[1:])]


def of_like_length(pairs: list, size, most: int) -> list[list]:
    """Groups of pairs that follow one another, with sizes of at most `most` in all, in random order."""
    groups, room = [], 0
    for pair in pairs:
        if size(pair) > room:
            groups.append([])
            room = most
        groups[-1].append(pair)
        room -= size(pair)
    random.shuffle(groups)
    return groups


WARM_UP_STEPS = 5


def rate(step, batches: list, seconds: float) -> dict:
    """Tokens per second of `step`, a function of a batch, after a few that do not count."""
    for number in range(WARM_UP_STEPS):
        step(batches[number % len(batches)])
    tokens, steps, started = 0, 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        batch = batches[steps % len(batches)]
        step(batch)
        tokens, steps = tokens + batch.tokens, steps + 1
    return {"tokens_per_second": tokens / elapsed, "steps": steps, "seconds": elapsed}
