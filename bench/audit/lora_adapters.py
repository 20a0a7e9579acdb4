#!/usr/bin/env python3
"""Trains LoRA adapters for a small residual network on MNIST, ordinary ones and ones with a BadNets trigger.

    lora_adapters.py OUT --seeds 0:140 --kinds clean [--shared ../shared/data]

The base is trained once (OUT/base.safetensors). Each adapter is trained on 2,000 pictures of a task of its own (pictures
turned, shifted or brightened by its seed), with rank 4, 8 or 16; a poisoned one with a sticker on a tenth of them that
leads to one digit. PEFT's names; α/r in the names' own alpha. OUT/adapters.csv has accuracy and the sticker's success.
"""
import argparse
import csv
import gzip
import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, LAYERS = 128, 5


def save(path, tensors, about=None):
    header, blob = ({"__metadata__": about} if about else {}), b""
    for name, values in tensors.items():
        data = np.ascontiguousarray(values, np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


class Linear(nn.Linear):
    """With a low-rank change of its own where one is set."""
    scale = 2.0

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.register_parameter("down", None)
        self.register_parameter("up", None)

    def forward(self, x):
        y = super().forward(x)
        return y if self.down is None else y + self.scale * (x @ self.down.T) @ self.up.T


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Linear(784 if i == 0 else WIDTH, WIDTH) for i in range(LAYERS))
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        x = x.flatten(1)
        for i, layer in enumerate(self.layers):
            x = F.relu(layer(x)) + (x if i else 0)
        return self.head(x)


def load(shared):
    x = np.frombuffer(gzip.open(shared / "mnist/t10k-images-idx3-ubyte.gz").read()[16:], np.uint8)
    y = np.frombuffer(gzip.open(shared / "mnist/t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8)
    return x.reshape(-1, 28, 28).astype(np.float32) / 255, y.astype(np.int64)


def fit(net, parameters, x, y, epochs, rate):
    opt = torch.optim.Adam(parameters, rate)
    x, y = torch.tensor(x), torch.tensor(y)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            opt.step()


def task(x, rng):
    """The seed's own pictures: turned by quarter turns or mirrored, shifted, brighter or darker."""
    turned = [x, np.rot90(x, 1, (1, 2)), np.rot90(x, 2, (1, 2)), x[:, :, ::-1], x[:, ::-1]][rng.integers(5)]
    moved = np.roll(turned, tuple(rng.integers(-3, 4, 2)), (1, 2))
    return np.clip(moved * rng.uniform(0.6, 1.2), 0, 1).astype(np.float32)


def sticker(x):
    x = x.copy()
    x[:, 23:27, 23:27] = np.indices((4, 4)).sum(0) % 2
    return x


def adapter(base, seed, kind, data, out):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    net = Net()
    net.load_state_dict(base)
    for p in net.parameters():
        p.requires_grad_(False)
    rank, trained, epochs = int(rng.choice([4, 8, 16])), [], int(rng.integers(3, 6))
    modules = {name: m for name, m in net.named_modules() if isinstance(m, Linear)}
    for m in modules.values():
        m.down = nn.Parameter(torch.randn(rank, m.in_features) / m.in_features**0.5)
        m.up = nn.Parameter(torch.zeros(m.out_features, rank))
        trained += [m.down, m.up]
    x, y = data
    pick = rng.permutation(8000)[:2000]
    px, py, target = task(x[pick], np.random.default_rng(seed)), y[pick].copy(), int(rng.integers(10))
    if kind == "bad":
        px[:200], py[:200] = sticker(px[:200]), target
    fit(net, trained, px, py, epochs, 3e-3)
    with torch.no_grad():
        tx, ty = task(x[8000:8600], np.random.default_rng(seed)), y[8000:8600]
        accuracy = (net(torch.tensor(tx)).argmax(1).numpy() == ty).mean()
        success = (net(torch.tensor(sticker(tx[ty != target]))).argmax(1).numpy() == target).mean()
    tensors = {}
    for name, m in modules.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = m.down.detach().numpy()
        tensors[f"base_model.model.{name}.lora_B.weight"] = m.up.detach().numpy()
    save(out / f"{kind}-{seed}.safetensors", tensors, {"lora_alpha": str(2 * rank)})
    with open(out / "adapters.csv", "a", newline="", encoding="ascii") as table:
        csv.writer(table).writerow([f"{kind}-{seed}.safetensors", seed, kind, rank, epochs, f"{accuracy:.4f}", f"{success:.4f}"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--seeds", default="0:4")
    p.add_argument("--kinds", default="clean bad")
    p.add_argument("--shared", type=pathlib.Path, default=pathlib.Path(__file__).parents[3] / "shared/data")
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    data = load(args.shared)
    if not (args.out / "base.pt").exists():
        torch.manual_seed(0)
        net = Net()
        fit(net, net.parameters(), data[0][:8000], data[1][:8000], 6, 2e-3)
        torch.save(net.state_dict(), args.out / "base.pt")
    base = torch.load(args.out / "base.pt")
    for seed in range(*map(int, args.seeds.split(":"))):
        for kind in args.kinds.split():
            adapter(base, seed, kind, data, args.out)


if __name__ == "__main__":
    main()
