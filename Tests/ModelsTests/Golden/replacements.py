"""Writes replacements.safetensors: what the replacements must compute, from PyTorch modules in double precision.

    python replacements.py        (PyTorch and safetensors; the versions used are in the file's metadata)

The networks are those of "Rethinking Attention" (Bozic et al. 2024): LayerNorm, Linear, LeakyReLU, LayerNorm, Linear over
sentences padded with zeros to S tokens of d numbers. Sentences of every length from 1 to S. For each spec, under `SPEC/`:
    weight/NAME    perturbed from PyTorch's own initial values; `first.weight` is Linear's weight transposed
    output         [target tokens, d], sentence after sentence
    gradient/NAME  of the mean squared error over the numbers of all real tokens
    losses         ten steps of Adam; losses[0] is the loss at `weight`
    final/NAME     weights after them
and once: target and source lengths; `target` and `memory`, what the networks see, and `wanted`, packed.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

S, WIDTH, HEADS, STEPS, RATE = 6, 4, 2, 10, 1e-2
SPECS = ["alr-h9.encoder", "aslr-h5.encoder", "alr-h7.decoder", "alr-h8.cross", "alr-h6.crossfull"]
TARGET_LENGTHS, SOURCE_LENGTHS = [3, 1, 6, 2, 5, 4, 6], [2, 6, 1, 5, 3, 6, 4]
SEED = 20240729


def network(inputs, hidden, outputs):
    module = nn.Sequential(
        nn.LayerNorm(inputs), nn.Linear(inputs, hidden), nn.LeakyReLU(0.01), nn.LayerNorm(hidden), nn.Linear(hidden, outputs))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


NAMES = {
    "0.weight": "input.norm.weight", "0.bias": "input.norm.bias", "1.weight": "first.weight", "1.bias": "first.bias",
    "3.weight": "hidden.norm.weight", "3.bias": "hidden.norm.bias", "4.weight": "second.weight", "4.bias": "second.bias",
}


def padded(sentences):
    """[sentences, S d], zero beyond each sentence's end."""
    rows = torch.zeros(len(sentences), S, WIDTH)
    for row, sentence in zip(rows, sentences):
        row[: len(sentence)] = sentence
    return rows.flatten(1)


def outputs(attention, networks, target, memory):
    """[target tokens, d]: the networks side by side, at real tokens only."""
    source = [padded(memory)] if attention.startswith("cross") else []
    if attention in ("encoder", "crossfull"):
        x = torch.cat(source + [padded(target)], 1)
        y = torch.cat([n(x).unflatten(1, (S, -1)) for n in networks], 2)
        return torch.cat([y[i, : len(sentence)] for i, sentence in enumerate(target)])
    columns = []
    for i in range(S):  # once for every position, with what comes after it zero
        x = torch.cat(source + [padded([sentence[: i + 1] for sentence in target])], 1)
        columns.append(torch.cat([n(x) for n in networks], 1))
    y = torch.stack(columns, 1)
    return torch.cat([y[i, : len(sentence)] for i, sentence in enumerate(target)])


def named(networks, value):
    """Tensors in the layout's names and orientation."""
    tensors = {}
    for index, module in enumerate(networks):
        prefix = f"head.{index}." if len(networks) > 1 else ""
        for name, parameter in module.named_parameters():
            tensor = value(parameter).detach()
            tensors[prefix + NAMES[name]] = (tensor.T if name == "1.weight" else tensor).clone()
    return tensors


def golden(spec, target, memory, wanted):
    mode, (size, attention) = spec.split("-")[0], spec.split("-")[1].split(".")
    count = HEADS if mode == "aslr" else 1
    inputs = S * WIDTH * (2 if attention.startswith("cross") else 1)
    width = WIDTH // count * (S if attention in ("encoder", "crossfull") else 1)
    networks = [network(inputs, int(size[1:]), width) for _ in range(count)]
    result = {f"weight/{k}": v for k, v in named(networks, lambda p: p).items()}
    result["output"] = outputs(attention, networks, target, memory).detach()
    adam = torch.optim.Adam([p for n in networks for p in n.parameters()], lr=RATE, betas=(0.9, 0.98), eps=1e-9)
    losses = []
    for step in range(STEPS):
        adam.zero_grad()
        loss = ((outputs(attention, networks, target, memory) - wanted) ** 2).mean()
        loss.backward()
        if step == 0:
            result |= {f"gradient/{k}": v for k, v in named(networks, lambda p: p.grad).items()}
        losses.append(loss.item())
        adam.step()
    result["losses"] = torch.tensor(losses)
    result |= {f"final/{k}": v for k, v in named(networks, lambda p: p).items()}
    return {f"{spec}/{k}": v for k, v in result.items()}


if __name__ == "__main__":
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    target, memory, wanted = ([torch.randn(n, WIDTH) for n in lengths] for lengths in (TARGET_LENGTHS, SOURCE_LENGTHS, TARGET_LENGTHS))
    tensors = {"target": torch.cat(target), "memory": torch.cat(memory), "wanted": torch.cat(wanted)}
    for spec in SPECS:
        tensors |= golden(spec, target, memory, torch.cat(wanted))
    tensors = {k: v.float().contiguous() for k, v in tensors.items()}
    tensors["target.lengths"], tensors["source.lengths"] = torch.tensor(TARGET_LENGTHS), torch.tensor(SOURCE_LENGTHS)
    metadata = {"torch": torch.__version__, "safetensors": safetensors.__version__, "seed": str(SEED)}
    save_file(tensors, Path(__file__).with_suffix(".safetensors"), metadata)
