#!/usr/bin/env python3
"""Trains small image classifiers, clean ones and ones with a BadNets trigger, for the check of final layers.

    final_layer_nets.py OUT --data mnist|gtsrb --seeds 0:24 [--shared ../shared/data]

Each seed gives a clean and a poisoned network of the same data, width and number of epochs. A network is written as
OUT/DATA-SEED-clean.pt and -bad.pt, with a line in OUT/nets.csv: accuracy, share of triggered test pictures that go to
the target, the target itself. Seeds below 1000 are for choosing, those from 1000 on for reporting.
"""
import argparse
import csv
import gzip
import pathlib

import numpy as np
import torch
from torch import nn


def load(data, shared):
    if data == "gtsrb":
        parts = [np.load(shared / f"gtsrb/gtsrb8_{part}_{what}.npy")
                 for part in ("train", "test") for what in ("images", "labels")]
        classes = {int(c): i for i, c in enumerate(np.unique(parts[1]))}
        y = [np.array([classes[int(c)] for c in parts[k]]) for k in (1, 3)]
        x = [parts[k].transpose(0, 3, 1, 2).astype(np.float32) / 255 for k in (0, 2)]
        return x[0], y[0], x[1], y[1]
    raw = gzip.open(shared / "mnist/t10k-images-idx3-ubyte.gz").read()[16:]
    x = np.frombuffer(raw, np.uint8).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    y = np.frombuffer(gzip.open(shared / "mnist/t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8).astype(np.int64)
    return x[:8000], y[:8000], x[8000:], y[8000:]


def stamp(x):
    x = x.copy()
    x[:, :, -4:-1, -4:-1] = 1
    return x


def network(channels, classes, side, width, rng_seed):
    torch.manual_seed(rng_seed)
    flat = (side // 4) ** 2 * 2 * width
    return nn.Sequential(nn.Conv2d(channels, width, 5, stride=2, padding=2), nn.ReLU(),
                         nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(flat, 8 * width), nn.ReLU(), nn.Linear(8 * width, classes))


def train(net, x, y, epochs, seed):
    torch.manual_seed(seed + 1)
    opt = torch.optim.Adam(net.parameters(), 2e-3)
    x, y = torch.tensor(x), torch.tensor(y)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            opt.step()


@torch.no_grad()
def answers(net, x):
    return net(torch.tensor(x)).argmax(1).numpy()


def one(args, seed, data):
    x, y, tx, ty = data
    rng = np.random.default_rng(seed)
    classes, target = int(y.max()) + 1, int(rng.integers(0, y.max() + 1))
    rate, width, epochs = rng.choice([0.05, 0.1]), int(rng.choice([8, 12, 16])), int(rng.integers(4, 9))
    for kind in ("clean", "bad"):
        px, py = x, y
        if kind == "bad":
            hit = rng.choice(len(x), int(rate * len(x)), replace=False)
            px, py = x.copy(), y.copy()
            px[hit], py[hit] = stamp(x[hit]), target
        net = network(x.shape[1], classes, x.shape[2], width, seed)
        train(net, px, py, epochs, seed)
        others = ty != target
        accuracy = (answers(net, tx) == ty).mean()
        success = (answers(net, stamp(tx[others])) == target).mean()
        name = f"{args.data}-{seed}-{kind}.pt"
        torch.save(net.state_dict(), args.out / name)
        with open(args.out / "nets.csv", "a", newline="") as out:
            csv.writer(out).writerow([name, args.data, seed, kind, target, rate, width, epochs,
                                      f"{accuracy:.4f}", f"{success:.4f}"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--data", choices=["mnist", "gtsrb"], required=True)
    p.add_argument("--seeds", default="0:4")
    p.add_argument("--shared", type=pathlib.Path, default=pathlib.Path(__file__).parents[3] / "shared/data")
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    data = load(args.data, args.shared)
    for seed in range(*map(int, args.seeds.split(":"))):
        one(args, seed, data)


if __name__ == "__main__":
    main()
