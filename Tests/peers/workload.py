"""Sentences of a folder made by `tokenize`, for the peers to work on."""

import json
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
