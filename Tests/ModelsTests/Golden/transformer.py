"""Writes transformer.safetensors: what the Transformer must compute, from PyTorch in double precision.

    python transformer.py        (PyTorch and safetensors; the versions used are in the file's metadata)

Two models, one with separate embeddings and one with all tied. For each, under `none/` or `all/`:
    weight/NAME    Xavier-uniform matrices, perturbed norms and biases
    logits         [target tokens, vocabulary], teacher-forced, sentence after sentence
    gradient/NAME  of the label-smoothed loss averaged over target tokens
    losses         ten steps of Adam; losses[0] is the loss at `weight`
    final/NAME     weights after them
and once the batch: source and target token ids with sentence offsets. No dropout, no padding: a sentence at a time.
"""

import math
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, layer_norm

BEGIN, END = 1, 2
WIDTH, HEADS, HIDDEN, WARMUP, SMOOTHING, STEPS = 16, 4, 32, 100, 0.1, 10
SOURCE_LENGTHS, TARGET_LENGTHS = [1, 5, 9, 3], [4, 8, 0, 2]
SEED = 20240311


def parameters(layers, source_vocabulary, target_vocabulary, tying):
    """Named tensors, in the layout's names."""
    weights = {}

    def matrix(name, rows, columns, fan_out=None):
        bound = math.sqrt(6 / ((fan_out or rows) + columns))
        weights[name] = (torch.rand(rows, columns) * 2 - 1) * bound

    def vector(name, size, around):
        weights[name] = around + 0.1 * torch.randn(size)

    def linear(name, inputs, outputs, fan_out=None):
        matrix(f"{name}.weight", outputs, inputs, fan_out)
        vector(f"{name}.bias", outputs, 0)

    def norm(name):
        vector(f"{name}.weight", WIDTH, 1)
        vector(f"{name}.bias", WIDTH, 0)

    def attention(name):
        norm(f"{name}.norm")
        linear(f"{name}.projection", WIDTH, 3 * WIDTH, fan_out=WIDTH)
        linear(f"{name}.output", WIDTH, WIDTH)

    def feed_forward(name):
        norm(f"{name}.norm")
        linear(f"{name}.up", WIDTH, HIDDEN)
        linear(f"{name}.down", HIDDEN, WIDTH)

    matrix("embedding" if tying == "all" else "target.embedding", target_vocabulary, WIDTH)
    if tying != "all":
        matrix("source.embedding", source_vocabulary, WIDTH)
        matrix("output.weight", target_vocabulary, WIDTH)
    vector("output.bias", target_vocabulary, 0)
    for side in ("encoder", "decoder"):
        norm(f"{side}.norm")
        for layer in range(layers):
            for block in ("attention", "cross") if side == "decoder" else ("attention",):
                attention(f"{side}.{layer}.{block}")
            feed_forward(f"{side}.{layer}.feedforward")
    # What is stored is exactly what was used.
    return {name: w.float().double().requires_grad_() for name, w in weights.items()}


def positions(length):
    angle = torch.arange(length)[:, None] * 10000 ** (-torch.arange(0, WIDTH, 2) / WIDTH)
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, WIDTH)


class Model:
    def __init__(self, weights, layers):
        self.w, self.layers = weights, layers

    def linear(self, name, x, rows=slice(None)):
        return x @ self.w[f"{name}.weight"][rows].T + self.w[f"{name}.bias"][rows]

    def norm(self, name, x):
        return layer_norm(x, (WIDTH,), self.w[f"{name}.weight"], self.w[f"{name}.bias"], 1e-5)

    def attention(self, name, x, memory=None, causal=False):
        """x + W_o concat_h softmax(Q_h K_h^T / sqrt(head)) V_h + b_o"""
        normed = self.norm(f"{name}.norm", x)
        keys = normed if memory is None else memory
        q = self.linear(f"{name}.projection", normed, slice(0, WIDTH))
        k = self.linear(f"{name}.projection", keys, slice(WIDTH, 2 * WIDTH))
        v = self.linear(f"{name}.projection", keys, slice(2 * WIDTH, 3 * WIDTH))
        heads = []
        for columns in torch.arange(WIDTH).chunk(HEADS):
            scores = q[:, columns] @ k[:, columns].T / math.sqrt(WIDTH // HEADS)
            if causal:
                scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
            heads.append(scores.softmax(1) @ v[:, columns])
        return x + self.linear(f"{name}.output", torch.cat(heads, 1))

    def feed_forward(self, name, x):
        hidden = self.linear(f"{name}.up", self.norm(f"{name}.norm", x)).relu()
        return x + self.linear(f"{name}.down", hidden)

    def embed(self, side, ids):
        table = self.w.get(f"{side}.embedding", self.w.get("embedding"))
        return math.sqrt(WIDTH) * table[ids] + positions(len(ids))

    def logits(self, source, target):
        x = self.embed("source", source)
        for layer in range(self.layers):
            x = self.attention(f"encoder.{layer}.attention", x)
            x = self.feed_forward(f"encoder.{layer}.feedforward", x)
        memory = self.norm("encoder.norm", x)
        y = self.embed("target", target)
        for layer in range(self.layers):
            y = self.attention(f"decoder.{layer}.attention", y, causal=True)
            y = self.attention(f"decoder.{layer}.cross", y, memory)
            y = self.feed_forward(f"decoder.{layer}.feedforward", y)
        table = self.w.get("output.weight", self.w.get("embedding"))
        return self.norm("decoder.norm", y) @ table.T + self.w["output.bias"]


def run(model, pairs):
    """Results of one model, by the names of the file."""
    begin, end = torch.tensor([BEGIN]), torch.tensor([END])
    labels = torch.cat([torch.cat([target, end]) for _, target in pairs])

    def forward():
        logits = torch.cat([model.logits(source, torch.cat([begin, target])) for source, target in pairs])
        return logits, cross_entropy(logits, labels, label_smoothing=SMOOTHING)

    result = {f"weight/{name}": w.detach().clone() for name, w in model.w.items()}
    logits, loss = forward()
    loss.backward()
    result["logits"] = logits.detach()
    result |= {f"gradient/{name}": w.grad.clone() for name, w in model.w.items()}
    adam = torch.optim.Adam(model.w.values(), betas=(0.9, 0.98), eps=1e-9)
    losses = []
    for step in range(1, STEPS + 1):
        adam.param_groups[0]["lr"] = WIDTH**-0.5 * min(step**-0.5, step * WARMUP**-1.5)
        adam.zero_grad()
        _, loss = forward()
        loss.backward()
        losses.append(loss.detach())
        adam.step()
    result["losses"] = torch.stack(losses)
    result |= {f"final/{name}": w.detach().clone() for name, w in model.w.items()}
    return {name: t.float().contiguous() for name, t in result.items()}


def main():
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    models = {"none": (2, 31, 29), "all": (1, 29, 29)}
    pairs = [(torch.randint(3, 29, (m,)), torch.randint(3, 29, (n,))) for m, n in zip(SOURCE_LENGTHS, TARGET_LENGTHS)]
    tensors = {}
    for side, name in enumerate(("source", "target")):
        tensors[f"{name}.tokens"] = torch.cat([pair[side] for pair in pairs]).int()
        tensors[f"{name}.offsets"] = torch.tensor([0] + [len(pair[side]) for pair in pairs]).cumsum(0)
    for tying, (layers, source, target) in models.items():
        model = Model(parameters(layers, source, target, tying), layers)
        tensors |= {f"{tying}/{name}": t for name, t in run(model, pairs).items()}
    made_with = {"torch": torch.__version__, "safetensors": safetensors.__version__, "seed": str(SEED)}
    save_file(tensors, Path(__file__).with_suffix(".safetensors"), metadata=made_with)


main()
