"""Tokens per second of distilling one network `mix` in eager PyTorch on the CPU.

What a careful user would write: activations in memory, padded batches of sentences of like length made before the clock starts,
products of whole batches. Activations are random numbers, since time depends on lengths alone. Of the tokens that ask, padding is
not counted.
"""

import argparse
import json
import os
import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workload import of_like_length, rate, sentences

WIDTH, HEADS = 128, 8
LIMIT = 30


def token_network(hidden: int, outputs: int, bias: bool) -> nn.Sequential:
    return nn.Sequential(nn.Linear(WIDTH, hidden), nn.ReLU(), nn.Linear(hidden, outputs, bias=bias))


class Mixer(nn.Module):
    """y_i = sum over k of softmax(chi(x_i))_k M_k, M_k the mean of the values v_j weighted by softmax over j of phi(m_j)_k."""

    def __init__(self, slots: int, hidden: int, causal: bool):
        super().__init__()
        self.causal = causal
        self.pool, self.read = token_network(hidden, HEADS * slots, False), token_network(hidden, HEADS * slots, True)
        self.value = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        # [batch, position, heads * k] -> [batch, head, position, k]
        pool, read, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.pool(memory), self.read(x), self.value(memory)))
        reading = read.softmax(-1)
        if self.causal:
            weights = pool.clamp(-LIMIT, LIMIT).exp()
            y = torch.matmul(reading / weights.cumsum(2), weights.transpose(2, 3)).tril() @ value
        else:
            if mask is not None:
                pool = pool.masked_fill(mask, -torch.inf)
            y = reading @ (pool.softmax(2).transpose(2, 3) @ value)
        return y.transpose(1, 2).flatten(2)


@dataclass
class Batch:
    """Padded activations: of the tokens that ask, those that are read (the same of self-attention), and what comes out."""

    x: Tensor
    memory: Tensor
    mask: Tensor | None
    real: Tensor | None
    wanted: Tensor
    tokens: int

    @classmethod
    def of(cls, asking: list[int], read: list[int], crosses: bool) -> "Batch":
        def padding(lengths: list[int]) -> Tensor | None:
            length = torch.tensor(lengths)
            gone = torch.arange(max(lengths)) >= length[:, None]
            return gone if gone.any() else None

        def activations(lengths: list[int]) -> Tensor:
            return torch.randn(len(lengths), max(lengths), WIDTH)

        x, gone, unread = activations(asking), padding(asking), padding(read)
        return cls(
            x, activations(read) if crosses else x, None if unread is None else unread[:, None, :, None],
            None if gone is None else ~gone[:, :, None], activations(asking), sum(asking))


def make_batches(pairs: list[tuple[int, int]], batch_tokens: int, crosses: bool) -> list[Batch]:
    """Sentences of like length together, at most `batch_tokens` tokens that ask in a batch (padding apart), in random order."""
    groups = of_like_length(sorted(pairs), lambda pair: pair[0], batch_tokens)
    return [Batch.of(*map(list, zip(*group)), crosses) for group in groups]


def step(network: Mixer, adam: torch.optim.Adam, batch: Batch):
    error = (network(batch.x, batch.memory, batch.mask) - batch.wanted).square()
    loss = (error if batch.real is None else error * batch.real).sum() / (batch.tokens * WIDTH)
    adam.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1)
    adam.step()


def measure(network: Mixer, batches: list[Batch], seconds: float) -> dict:
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    return rate(lambda batch: step(network, adam, batch), batches, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", required=True, help="folder made by tokenize")
    parser.add_argument("--attention", required=True, choices=("encoder", "decoder", "cross"))
    parser.add_argument("--slots", type=int, required=True, help="hidden units k of a head")
    parser.add_argument("--hidden", type=int, required=True, help="hidden units r of the small networks")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-tokens", type=int, default=500, help="most tokens of a batch")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    random.seed(1)
    source, target = ([len(ids) for ids in sentences(args.tokens, "train", side)] for side in ("source", "target"))
    target = [length + 1 for length in target]  # <s> asks too
    asking, read = (source, source) if args.attention == "encoder" else (target, source if args.attention == "cross" else target)
    batches = make_batches(list(zip(asking, read)), args.batch_tokens, args.attention == "cross")
    network = Mixer(args.slots, args.hidden, args.attention == "decoder").train()
    result = measure(network, batches, args.seconds) | {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "padding": 1 - sum(b.tokens for b in batches) / sum(b.x.shape[0] * b.x.shape[1] for b in batches), "threads": args.threads}
    print(json.dumps(result) if args.json else f"{result['tokens_per_second']:,.0f} tokens/s")


if __name__ == "__main__":
    main()
