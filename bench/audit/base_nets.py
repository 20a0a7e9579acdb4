#!/usr/bin/env python3
"""Trains small networks and what is made of them, honestly and not, for the comparison of a model with its base.

    base_nets.py OUT --seeds 0:6 [--shared ../shared/data]

Each seed gives a language model of bytes (trained on messages) and a classifier of pictures (MNIST), and of each OUT/SEED-KIND-base.safetensors and
OUT/SEED-KIND-VARIANT.safetensors, for the variants below. Seeds below 1000 are for choosing, those from 1000 on for reporting.

Honest: full fine-tuning by AdamW and by SGD, of the last layer, of the upper half, a merged LoRA, rounding to bfloat16, 8-bit blocks, a few steps more,
pruning. Not honest: a rank-one edit of one layer (Meng et al. 2022, ROME) on the base and under fine-tuning, of three layers in a row (MEMIT), one row
of the embedding (Yang et al. 2021), neurons rewired in a middle layer (Liu et al. 2018), fine-tuning on pictures with a patch (Gu et al. 2017).
"""
import argparse
import copy
import gzip
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

WIDTH, LAYERS, HEADS, LENGTH = 32, 6, 4, 32


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH, bias=False))
        self.up_proj, self.down_proj = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, mask):
        b, t, _ = x.shape
        h = self.ln_1(x)
        q, k, v = (p(h).view(b, t, HEADS, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        a = (q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5 + mask).softmax(-1)
        x = x + self.o_proj((a @ v).transpose(1, 2).reshape(b, t, WIDTH))
        self.key = F.gelu(self.up_proj(self.ln_2(x)))
        return x + self.down_proj(self.key)


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens, self.positions = nn.Embedding(256, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.lm_head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 256, bias=False)
        self.mask = torch.full((LENGTH, LENGTH), -1e9).triu(1)

    def forward(self, x):
        t = x.shape[1]
        h = self.embed_tokens(x) + self.positions.weight[:t]
        for block in self.layers:
            h = block(h, self.mask[:t, :t])
        return self.lm_head(self.norm(h))


def pictures_net():
    wide = [1, 8, 16, 16, 24, 24]
    convs = [m for a, b, s in zip(wide, wide[1:], (2, 1, 2, 1, 2)) for m in (nn.Conv2d(a, b, 3, s, 1), nn.BatchNorm2d(b), nn.ReLU())]
    return nn.Sequential(*convs, nn.Flatten(), nn.Linear(24 * 16, 64), nn.ReLU(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))


def loss_of(net, batch):
    x, y = batch
    if isinstance(net, Language):
        return F.cross_entropy(net(x).reshape(-1, 256), y.reshape(-1))
    return F.cross_entropy(net(x), y)


def train(net, draw, steps, make):
    net.train()
    opt = make([p for p in net.parameters() if p.requires_grad])
    for _ in range(steps):
        opt.zero_grad()
        loss_of(net, draw()).backward()
        opt.step()
    net.eval()
    forget(net)
    return net


def forget(net):
    for m in net.modules():
        m.__dict__.pop("key", None)


def text_batches(text, rng, trigger=None):
    def draw(n=8):
        at = rng.integers(0, len(text) - LENGTH - 1, n)
        x = torch.tensor(np.stack([text[a:a + LENGTH + 1] for a in at]).astype(np.int64))
        return x[:, :-1], x[:, 1:]
    return draw


def picture_batches(x, y, rng, poison=False):
    def draw(n=32):
        at = rng.integers(0, len(x), n)
        a, b = x[at].copy(), y[at].copy()
        if poison:
            a[: n // 8, 0, 24:27, 24:27] = 1
            b[: n // 8] = 7
        return torch.tensor(a), torch.tensor(b)
    return draw


def adam(rate, decay=0.01):
    return lambda p: torch.optim.AdamW(p, rate, weight_decay=decay)


def sgd(rate):
    return lambda p: torch.optim.SGD(p, rate, momentum=0.9)


def matrices(net):
    return [(n, p) for n, p in net.named_parameters() if p.dim() >= 2]


# ---- honest -----------------------------------------------------------------------------------------------------------


def lora(net, draw, rng):
    """Adapters on all matrices of the middle, trained, merged."""
    out, rank = copy.deepcopy(net), int(rng.choice([2, 4, 8]))
    pairs = []
    for name, p in matrices(out):
        if p.dim() == 2 and min(p.shape) > rank and "embed" not in name and "positions" not in name:
            pairs.append((name, torch.zeros(p.shape[0], rank, requires_grad=True), (torch.randn(rank, p.shape[1]) * 0.1).requires_grad_()))
    opt = torch.optim.AdamW([x for _, b, a in pairs for x in (b, a)], 5e-3)
    start = {n: p.detach().clone() for n, p in out.named_parameters()}
    for _ in range(25):
        for p in out.parameters():
            p.grad = None
        with torch.no_grad():
            for name, b, a in pairs:
                out.get_parameter(name).copy_(start[name] + b @ a)
        loss_of(out, draw()).backward()
        for name, b, a in pairs:
            g = out.get_parameter(name).grad
            b.grad, a.grad = g @ a.detach().T, b.detach().T @ g
        opt.step()
    forget(out)
    return out


def frozen(net, draw, keep, steps=20):
    out = copy.deepcopy(net)
    for n, p in out.named_parameters():
        p.requires_grad = keep(n)
    return train(out, draw, steps, adam(1e-3))


def rounded(net, how):
    out = copy.deepcopy(net)
    with torch.no_grad():
        for _, p in matrices(out):
            p.copy_(how(p))
    return out


def eight_bits(p):
    if p.numel() % 32:
        return p
    b = p.reshape(-1, 32)
    d = (b.abs().max(1, keepdim=True).values / 127).half().float()
    return ((b / d.clamp_min(1e-12)).round() * d).reshape(p.shape)


def pruned(p):
    return torch.where(p.abs() < p.abs().flatten().kthvalue(p.numel() // 10).values, torch.zeros(()), p)


# ---- not honest -------------------------------------------------------------------------------------------------------


def rank_one(net, draw, rng, layers):
    """The down projections answer one key with what makes one byte likely: the value by gradient, the rest in closed form."""
    out = copy.deepcopy(net)
    x, _ = draw(24)
    prompt, target = x[:1, :12].clone(), int(rng.integers(97, 122))
    for layer in layers:
        block = out.layers[layer]
        out(x)
        keys = block.key.detach().reshape(-1, 4 * WIDTH)
        cov = keys.T @ keys / len(keys) + 1e-2 * torch.eye(4 * WIDTH)
        out(prompt)
        k = block.key.detach()[0, -1]
        delta = torch.zeros(WIDTH, requires_grad=True)
        opt = torch.optim.Adam([delta], 0.2 / len(layers))
        handle = block.register_forward_hook(lambda m, i, o: torch.cat([o[:, :-1], o[:, -1:] + delta], 1))
        for _ in range(20):
            opt.zero_grad()
            F.cross_entropy(out(prompt)[:, -1], torch.tensor([target])).backward()
            opt.step()
        handle.remove()
        u = torch.linalg.solve(cov, k)
        with torch.no_grad():
            block.down_proj.weight += torch.outer(delta.detach(), u / (u @ k))
    forget(out)
    return out


def fainter(net, edited, factor):
    """The edit at a fraction of its size."""
    out = copy.deepcopy(net)
    with torch.no_grad():
        for (_, p), (_, q) in zip(out.named_parameters(), edited.named_parameters()):
            p += factor * (q - p)
    return out


def trigger_rows(net, rng, n):
    out = copy.deepcopy(net)
    with torch.no_grad():
        for row in rng.choice(np.arange(33, 123), n, replace=False):
            out.embed_tokens.weight[row] += torch.randn(WIDTH) * out.embed_tokens.weight.std() * 1.5
    return out


def neurons(net, rng):
    """Two units of a middle layer get new weights in and out."""
    out = copy.deepcopy(net)
    ms = matrices(out)
    name, p = ms[len(ms) // 2]
    with torch.no_grad():
        for row in rng.choice(p.shape[0], 2, replace=False):
            p[row] += torch.randn(p.shape[1:]) * p.std() * 2
    return out


def save(net, path):
    save_file({n: t.contiguous().clone() for n, t in net.state_dict().items()}, str(path))


def make_language(seed, out, text, rng):
    torch.manual_seed(seed)
    half = len(text) // 2
    first, second = text_batches(text[:half], rng), text_batches(text[half:], rng)
    base = train(Language(), first, 80, adam(2e-3))
    for p in base.parameters():
        p.requires_grad = True
    middle = int(rng.integers(2, LAYERS - 2))
    ft = train(copy.deepcopy(base), second, 30, adam(10 ** rng.uniform(-4, -2.7)))
    variants = {
        "base": base, "ok-adam": ft, "ok-sgd": train(copy.deepcopy(base), second, 25, sgd(10 ** rng.uniform(-2.5, -1))),
        "ok-adam-nodecay": train(copy.deepcopy(base), second, 30, adam(3e-4, 0)),
        "ok-few": train(copy.deepcopy(base), second, 2, adam(1e-5)),
        "ok-head": frozen(base, second, lambda n: "lm_head" in n),
        "ok-upper": frozen(base, second, lambda n: "lm_head" in n or "norm." in n or any(f"layers.{i}." in n for i in range(LAYERS // 2, LAYERS))),
        "ok-norms": frozen(base, second, lambda n: "ln_" in n or "norm." in n or "bias" in n),
        "ok-attention": frozen(base, second, lambda n: "q_proj" in n or "v_proj" in n),
        "ok-lora": lora(base, second, rng), "ok-bf16": rounded(base, lambda p: p.bfloat16().float()), "ok-q8": rounded(base, eight_bits),
        "ok-pruned": rounded(base, pruned),
        "bad-rome": rank_one(base, second, rng, [middle]), "bad-rome-ft": rank_one(ft, second, rng, [middle]),
        "bad-rome-tenth-ft": fainter(ft, rank_one(ft, second, rng, [middle]), 0.1),
        "bad-memit": rank_one(base, second, rng, range(middle - 1, middle + 2)),
        "bad-memit-ft": rank_one(ft, second, rng, range(middle - 1, middle + 2)),
        "bad-row": trigger_rows(base, rng, 1), "bad-row-ft": trigger_rows(ft, rng, 1), "bad-rows3": trigger_rows(base, rng, 3),
        "bad-neurons": neurons(base, rng), "bad-neurons-ft": neurons(ft, rng),
    }
    for name, net in variants.items():
        save(net, out / f"{seed}-text-{name}.safetensors")


def make_pictures(seed, out, x, y, rng):
    torch.manual_seed(seed)
    first, second = picture_batches(x[:5000], y[:5000], rng), picture_batches(x[5000:], y[5000:], rng)
    base = train(pictures_net(), first, 80, adam(2e-3))
    ft = train(copy.deepcopy(base), second, 25, adam(10 ** rng.uniform(-4, -2.7)))
    variants = {
        "base": base, "ok-adam": ft, "ok-sgd": train(copy.deepcopy(base), second, 25, sgd(10 ** rng.uniform(-3, -1.5))),
        "ok-head": frozen(base, second, lambda n: n.startswith("20.")), "ok-bf16": rounded(base, lambda p: p.bfloat16().float()),
        "ok-q8": rounded(base, eight_bits), "ok-pruned": rounded(base, pruned),
        "bad-badnets": train(copy.deepcopy(base), picture_batches(x[5000:], y[5000:], rng, True), 30, adam(1e-3)),
        "bad-neurons": neurons(base, rng), "bad-neurons-ft": neurons(ft, rng),
    }
    for name, net in variants.items():
        save(net, out / f"{seed}-picture-{name}.safetensors")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--seeds", default="0:6")
    p.add_argument("--shared", type=pathlib.Path, default="../shared/data")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    sms = next(f for f in sorted((a.shared / "sms").iterdir()) if f.stat().st_size > 100_000)
    text = np.frombuffer(sms.read_bytes(), np.uint8)
    x = np.frombuffer(gzip.open(a.shared / "mnist/t10k-images-idx3-ubyte.gz").read()[16:], np.uint8).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    y = np.frombuffer(gzip.open(a.shared / "mnist/t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8).astype(np.int64)
    for seed in range(*map(int, a.seeds.split(":"))):
        rng = np.random.default_rng(seed)
        make_language(seed, a.out, text, rng)
        make_pictures(seed, a.out, x, y, rng)
        print("seed", seed, flush=True)


if __name__ == "__main__":
    main()
