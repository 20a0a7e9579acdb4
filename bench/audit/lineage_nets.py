#!/usr/bin/env python3
"""Small residual networks with transformers' MLPs, trained on MNIST: independent ones, fine-tuned ones, and those with
their hidden units in another order.

    lineage_nets.py OUT --seeds 0:10 [--shared ../shared/data]

OUT/SEED.pt is trained from its own start, OUT/SEED-tuned.pt trained on from it with other pictures, OUT/SEED-turned.pt
is the tuned one with the hidden units of each MLP in another order.
"""
import argparse
import gzip
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, HIDDEN, LAYERS = 48, 128, 3


class Mlp(nn.Module):
    def __init__(self, gated):
        super().__init__()
        if gated:
            self.gate_proj, self.up_proj = nn.Linear(WIDTH, HIDDEN, bias=False), nn.Linear(WIDTH, HIDDEN, bias=False)
            self.down_proj = nn.Linear(HIDDEN, WIDTH, bias=False)
        else:
            self.fc1, self.fc2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.gated = gated

    def forward(self, x):
        if self.gated:
            return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, gated):
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(WIDTH), Mlp(gated)

    def forward(self, x):
        return x + self.mlp(self.norm(x))


def network(seed):
    torch.manual_seed(seed)
    parts = [nn.Linear(784, WIDTH), *(Block(seed % 2 == 0) for _ in range(LAYERS)), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10)]
    return nn.Sequential(*parts)


def train(net, x, y, epochs, rate, seed):
    torch.manual_seed(seed)
    opt = torch.optim.AdamW(net.parameters(), rate)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            opt.step()


def turned(state, seed):
    rng, out = np.random.default_rng(seed), dict(state)
    for layer in sorted({k.split(".mlp")[0] for k in state if ".mlp" in k}):
        order = torch.tensor(rng.permutation(HIDDEN))
        for k, v in state.items():
            if k.startswith(layer + ".mlp."):
                out[k] = v[:, order] if "fc2.weight" in k or "down_proj" in k else v[order] if "fc2" not in k else v
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--seeds", default="0:2")
    p.add_argument("--shared", type=pathlib.Path, default=pathlib.Path(__file__).parents[3] / "shared/data")
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    x = np.frombuffer(gzip.open(args.shared / "mnist/t10k-images-idx3-ubyte.gz").read()[16:], np.uint8).reshape(-1, 784)
    y = np.frombuffer(gzip.open(args.shared / "mnist/t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8).astype(np.int64)
    x, y = torch.tensor(x.astype(np.float32) / 255), torch.tensor(y)
    for seed in range(*map(int, args.seeds.split(":"))):
        net = network(seed)
        train(net, x[:6000], y[:6000], 3, 2e-3, seed)
        torch.save(net.state_dict(), args.out / f"{seed}.pt")
        train(net, 1 - x[6000:], y[6000:], 2, 5e-4, seed)
        torch.save(net.state_dict(), args.out / f"{seed}-tuned.pt")
        torch.save(turned(net.state_dict(), seed), args.out / f"{seed}-turned.pt")


if __name__ == "__main__":
    main()
