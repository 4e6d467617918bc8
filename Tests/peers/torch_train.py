"""Target tokens per second of training the teacher in eager PyTorch on the CPU.

What a careful user would write: one product for Q, K and V, PyTorch's own attention, cross entropy and Adam, batches of sentences
of like length made before the clock starts. `</s>` counts as a token, padding does not.
"""

import argparse
import json
import math
import os
import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workload import BEGIN, END, UNKNOWN, of_like_length, rate, sentences, vocabulary_sizes

WIDTH, HEADS, LAYERS, HIDDEN, DROPOUT, SMOOTHING = 128, 8, 6, 512, 0.1, 0.1
IGNORED = -100


class Attention(nn.Module):
    """Multi-head attention, of a sequence to itself (`memory` is None) or to another."""

    def __init__(self, crosses: bool):
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH) if crosses else None
        self.joint = nn.Linear(WIDTH, (2 if crosses else 3) * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        parts = self.joint(x).chunk(3, -1) if memory is None else (self.query(x), *self.joint(memory).chunk(2, -1))
        # [batch, position, width] -> [batch, head, position, width / heads]
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, mask, DROPOUT if self.training else 0.0, causal)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """x + dropout(f(LayerNorm(x))) for each sublayer f; with cross-attention it is a layer of the decoder."""

    def __init__(self, decodes: bool):
        super().__init__()
        self.decodes = decodes
        self.attention, self.attention_norm = Attention(crosses=False), nn.LayerNorm(WIDTH)
        if decodes:
            self.cross, self.cross_norm = Attention(crosses=True), nn.LayerNorm(WIDTH)
        self.up, self.down, self.norm = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH), nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, mask: Tensor | None, memory: Tensor | None = None) -> Tensor:
        own_mask = None if self.decodes else mask
        x = x + self.dropout(self.attention(self.attention_norm(x), mask=own_mask, causal=self.decodes))
        if self.decodes:
            x = x + self.dropout(self.cross(self.cross_norm(x), memory, mask))
        return x + self.dropout(self.down(self.dropout(F.relu(self.up(self.norm(x))))))


class Teacher(nn.Module):
    """A pre-norm encoder-decoder with sinusoidal positions and three vocabulary matrices of their own."""

    def __init__(self, source_size: int, target_size: int, positions: int = 512):
        super().__init__()
        self.source, self.target = nn.Embedding(source_size, WIDTH), nn.Embedding(target_size, WIDTH)
        self.encoder = nn.ModuleList(Layer(decodes=False) for _ in range(LAYERS))
        self.decoder = nn.ModuleList(Layer(decodes=True) for _ in range(LAYERS))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.output, self.dropout = nn.Linear(WIDTH, target_size), nn.Dropout(DROPOUT)
        angle = torch.arange(positions)[:, None] * 10000 ** (-torch.arange(0, WIDTH, 2) / WIDTH)
        self.register_buffer("positions", torch.stack((angle.sin(), angle.cos()), -1).flatten(1))
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)

    def embed(self, table: nn.Embedding, ids: Tensor) -> Tensor:
        return self.dropout(table(ids) * math.sqrt(WIDTH) + self.positions[: ids.shape[1]])

    def forward(self, source: Tensor, mask: Tensor | None, target: Tensor) -> Tensor:
        x = self.embed(self.source, source)
        for layer in self.encoder:
            x = layer(x, mask)
        memory, y = self.encoder_norm(x), self.embed(self.target, target)
        for layer in self.decoder:
            y = layer(y, mask, memory)
        return self.output(self.decoder_norm(y))


@dataclass
class Batch:
    """Padded sentences: ids of the source, what attention may see of them, the decoder's input and its labels."""

    source: Tensor
    mask: Tensor | None
    target: Tensor
    labels: Tensor
    tokens: int

    @classmethod
    def of(cls, pairs: list[tuple[list[int], list[int]]]) -> "Batch":
        source = padded([s for s, _ in pairs], IGNORED)
        labels = padded([t + [END] for _, t in pairs], IGNORED)
        real = source != IGNORED
        mask = None if real.all() else real[:, None, None, :]
        target = padded([[BEGIN] + t for _, t in pairs], UNKNOWN)
        return cls(source.where(real, UNKNOWN), mask, target, labels, int((labels != IGNORED).sum()))


def padded(rows: list[list[int]], filler: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def make_batches(pairs: list[tuple[list[int], list[int]]], batch_tokens: int) -> list[Batch]:
    """Pairs of like length together, at most `batch_tokens` target tokens a batch (padding apart), in random order."""
    ordered = sorted(pairs, key=lambda pair: (len(pair[1]), len(pair[0])))
    return [Batch.of(group) for group in of_like_length(ordered, lambda pair: len(pair[1]) + 1, batch_tokens)]


def train_step(model: Teacher, adam: torch.optim.Adam, batch: Batch):
    logits = model(batch.source, batch.mask, batch.target)
    loss = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, label_smoothing=SMOOTHING)
    adam.zero_grad(set_to_none=True)
    loss.backward()
    adam.step()


def measure(model: Teacher, batches: list[Batch], seconds: float) -> dict:
    adam = torch.optim.Adam(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9, fused=True)
    return rate(lambda batch: train_step(model, adam, batch), batches, seconds)


def padding_share(batches: list[Batch]) -> float:
    """Which part of all positions, of both sides, is padding."""
    real = sum(b.tokens + (b.source.numel() if b.mask is None else int(b.mask.sum())) for b in batches)
    return 1 - real / sum(b.source.numel() + b.labels.numel() for b in batches)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", required=True, help="folder made by tokenize")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-tokens", type=int, default=1500, help="most target tokens of a batch, </s> counted")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    random.seed(1)
    pairs = list(zip(*(sentences(args.tokens, "train", side) for side in ("source", "target"))))
    batches = make_batches(pairs, args.batch_tokens)
    model = Teacher(*vocabulary_sizes(args.tokens)).train()
    result = measure(model, batches, args.seconds) | {"padding": padding_share(batches), "version": torch.__version__}
    if args.json:
        print(json.dumps(result))
    else:
        print(f"PyTorch {torch.__version__}: {result['tokens_per_second']:,.0f} target tokens/s, {result['steps']} steps")


if __name__ == "__main__":
    main()
