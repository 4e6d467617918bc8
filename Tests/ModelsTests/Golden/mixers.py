"""Writes mixers.safetensors: what mixers must compute, from PyTorch's own differentiation in double precision.

    python mixers.py        (PyTorch and safetensors; the versions used are in the file's metadata)

For every head, m_j being the tokens that are read and x_i one that asks (see mixer.h):
    alpha = softmax over tokens of pool(m)      decoder: exp of pool limited to +-30, divided by its sum over j <= i
    M_ik  = sum_j alpha_jk v_j,  kappa_ik = sum_j alpha_jk key(m_j)
    z_ik  = read(x_i)_k          (mix)          query(x_i) . kappa_ik / sqrt(d_k) + slot.bias_k          (slots)
    y_i   = sum_k softmax(z_i)_k M_ik           heads side by side
Cases are written FAMILY-SIZE.ATTENTION: k slots, r hidden units of pool and read, d columns of keys, v rank of values;
`shared`: all heads pool with the same weights; `large`: pooling logits beyond the limit. Under `CASE.`:
    NAME             weights, by PyTorch's [outputs, inputs]
    output           [target tokens, WIDTH], sentence after sentence
    gradient.NAME    of sum(output * random), for every weight, for x and, at cross-attention, for memory
and once: `x` and `memory`, packed, with their sentences' lengths, and `random`.
"""

import math
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

WIDTH, HEADS, SLOTS, HIDDEN, KEY, RANK = 8, 2, 3, 5, 2, 3
LENGTHS, MEMORY_LENGTHS = [3, 1, 5, 2], [2, 6, 1, 4]
SEED = 20250611
CASES = ["mix-k3", "mix-k3r5", "mix-k3r5v3", "mix-k3v3-large"]
CASES += ["slots-k3d2", "slots-k3d2-shared", "slots-k3d2v3-shared-large"]
ATTENTIONS = ["encoder", "decoder", "cross"]


def parameters(case):
    """Names and shapes in the order of the layout."""
    pooled = SLOTS if "shared" in case else HEADS * SLOTS
    if case.startswith("mix") and "r5" in case:
        shapes = {"pool.up.weight": (HIDDEN, WIDTH), "pool.up.bias": (HIDDEN,), "pool.weight": (pooled, HIDDEN)}
        shapes |= {"read.up.weight": (HIDDEN, WIDTH), "read.up.bias": (HIDDEN,)}
        shapes |= {"read.weight": (HEADS * SLOTS, HIDDEN), "read.bias": (HEADS * SLOTS,)}
    elif case.startswith("mix"):
        shapes = {"pool.weight": (pooled, WIDTH), "read.weight": (HEADS * SLOTS, WIDTH), "read.bias": (HEADS * SLOTS,)}
    else:
        shapes = {"pool.weight": (pooled, WIDTH), "query.weight": (HEADS * KEY, WIDTH), "query.bias": (HEADS * KEY,)}
        shapes |= {"key.weight": (HEADS * KEY, WIDTH), "slot.bias": (HEADS, SLOTS)}
    if "v3" in case:
        shapes |= {"value.down.weight": (RANK, WIDTH), "value.weight": (WIDTH, RANK), "value.bias": (WIDTH,)}
    else:
        shapes |= {"value.weight": (WIDTH, WIDTH), "value.bias": (WIDTH,)}
    return shapes


def linear(w, name, x):
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def network(w, name, x):
    """Linear, or Linear, ReLU, Linear."""
    return linear(w, name, torch.relu(linear(w, f"{name}.up", x)) if f"{name}.up.weight" in w else x)


def heads(x):
    """[tokens, heads * width] as [heads, tokens, width]."""
    return x.unflatten(1, (HEADS, -1)).transpose(0, 1)


def sentence(w, x, memory, causal):
    """[tokens, WIDTH] of one sentence."""
    a = network(w, "pool", memory)
    a = heads(a) if a.shape[1] == HEADS * SLOTS else a.expand(HEADS, -1, -1)
    if causal:
        e = a.clamp(-30, 30).exp()[:, None] * torch.ones(len(x), len(x)).tril()[None, :, :, None]  # [head, i, j, slot]
        alpha = e / e.sum(2, keepdim=True)
    else:
        alpha = a.softmax(1)[:, None].expand(-1, len(x), -1, -1)
    v = linear(w, "value", memory @ w["value.down.weight"].T if "value.down.weight" in w else memory)
    pooled = torch.einsum("hijk,hjc->hikc", alpha, heads(v))
    if "key.weight" in w:
        keys = torch.einsum("hijk,hjc->hikc", alpha, heads(linear(w, "key", memory)))
        z = torch.einsum("hic,hikc->hik", heads(linear(w, "query", x)), keys) / math.sqrt(KEY) + w["slot.bias"][:, None]
    else:
        z = heads(network(w, "read", x))
    return torch.einsum("hik,hikc->ihc", z.softmax(2), pooled).flatten(1)


def golden(case, attention, x, memory, random):
    w = {k: torch.randn(s) / math.sqrt(s[-1]) for k, s in parameters(case).items()}
    if "large" in case:
        w["pool.weight"] *= 20
    w = {k: v.float().double().requires_grad_() for k, v in w.items()}
    x, memory = x.clone().requires_grad_(), memory.clone().requires_grad_()
    read = memory.split(MEMORY_LENGTHS) if attention == "cross" else x.split(LENGTHS)
    output = torch.cat([sentence(w, *both, attention == "decoder") for both in zip(x.split(LENGTHS), read)])
    (output * random).sum().backward()
    given = w | {"x": x} | ({"memory": memory} if attention == "cross" else {})
    result = w | {"output": output} | {f"gradient.{k}": v.grad for k, v in given.items()}
    return {f"{case}.{attention}.{k}": v.detach() for k, v in result.items()}


if __name__ == "__main__":
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    # What is computed is what single precision can say.
    x, memory, random = (torch.randn(sum(n), WIDTH).float().double() for n in (LENGTHS, MEMORY_LENGTHS, LENGTHS))
    tensors = {"x": x, "memory": memory, "random": random}
    for case in CASES:
        for attention in ATTENTIONS:
            tensors |= golden(case, attention, x, memory, random)
    tensors = {k: v.float().contiguous() for k, v in tensors.items()}
    tensors["lengths"], tensors["memory.lengths"] = torch.tensor(LENGTHS), torch.tensor(MEMORY_LENGTHS)
    metadata = {"torch": torch.__version__, "safetensors": safetensors.__version__, "seed": str(SEED)}
    save_file(tensors, Path(__file__).with_suffix(".safetensors"), metadata)
