#!/usr/bin/env python3
"""Embedding detectors beside ART's spectral signatures and activation clustering, on the same vectors, in one run.

usage: python3 bench/embeddings/embeddings.py [--bezoar build/bezoar] [--shared ../shared/data] [--seeds 1 2] [--net]

Needs numpy and scikit-learn; adversarial-robustness-toolbox and packaging for the peers (left out where absent): a virtual
environment of its own. Prints a Markdown table: rows flagged in findings of warning level and above, TPR / FPR, seconds.
Embeddings are 64 principal components of the pixels; --net adds the hidden layer of a small network trained on the poison.
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier

OURS = {"BZ-D019": "SCAn", "BZ-D016": "spectral", "BZ-D018": "clustering", "BZ-D017": "SPECTRE"}


def gtsrb(shared):
    folder = shared / "gtsrb"
    return np.load(folder / "gtsrb8_train_images.npy"), np.load(folder / "gtsrb8_train_labels.npy").astype(int)


def mnist(shared):
    folder = shared / "mnist"
    pixels = np.frombuffer(gzip.open(folder / "t10k-images-idx3-ubyte.gz").read(), np.uint8, offset=16)
    labels = np.frombuffer(gzip.open(folder / "t10k-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
    return pixels.reshape(-1, 28, 28, 1).copy(), labels.astype(int)


def plant(images, labels, share, seed, source, target):
    """A 3 x 3 patch at the lower right of rows of one class (None: of all others), given the target's label."""
    images, labels = images.copy(), labels.copy()
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(labels == source if source is not None else labels != target)
    rows = rng.choice(rows, min(int(round(share * len(labels))), len(rows)), replace=False)
    images[rows, -5:-2, -5:-2] = 255 if images.shape[-1] == 1 else np.array([255, 255, 0])
    labels[rows] = target
    poisoned = np.zeros(len(labels), bool)
    poisoned[rows] = True
    return images, labels, poisoned


def embed(images, labels, net, seed):
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    if not net:
        return PCA(64, random_state=0).fit_transform(pixels).astype(np.float32)
    model = MLPClassifier((128,), max_iter=12, random_state=seed, batch_size=128, learning_rate_init=5e-4)
    model.fit(pixels, labels)
    return np.maximum(pixels @ model.coefs_[0] + model.intercepts_[0], 0).astype(np.float32)


def ours(bezoar, vectors, labels, rule):
    with tempfile.TemporaryDirectory() as folder:
        data, beside = pathlib.Path(folder, "rows.csv"), pathlib.Path(folder, "vectors.npy")
        np.save(beside, vectors)
        data.write_text("id,label\n" + "".join(f"{i},c{label}\n" for i, label in enumerate(labels)))
        command = [bezoar, "scan", data, "--label", "label", "--embeddings", beside, "--only", rule, "--format", "json"]
        begin = time.perf_counter()
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode > 1:
            raise SystemExit(done.stderr)
    flagged = np.zeros(len(labels), bool)
    for finding in json.loads(done.stdout)["findings"]:
        if finding["severity"] != "note":
            flagged[finding["rows"]["row"]] = True
    return flagged, seconds


class Given:
    """What ART takes for a network: one whose activations are the vectors."""

    layer_names = ["given"]

    def __init__(self, classes):
        self.nb_classes = classes

    def get_activations(self, x, layer=0, batch_size=0, framework=False):
        return x


def peers():
    try:
        from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
    except ImportError as why:
        print(f"(no peers: {why})")
        return {}

    def spectral(vectors, labels, share):
        defence = SpectralSignatureDefense(Given(labels.max() + 1), vectors, labels, expected_pp_poison=share)
        return defence.detect_poison()[1]

    def clustering(vectors, labels, share):
        one_hot = np.eye(labels.max() + 1)[labels]
        defence = ActivationDefence(Given(labels.max() + 1), vectors, one_hot)
        return defence.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA")[1]

    return {"ART spectral": spectral, "ART clustering": clustering}


def cell(flagged, poisoned, seconds):
    rate = f"{flagged[poisoned].mean():.3f}" if poisoned.any() else "-"
    return f"{rate} / {flagged[~poisoned].mean():.4f}, {seconds:.2f} s"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bezoar", default="build/bezoar")
    parser.add_argument("--shared", type=pathlib.Path, default=pathlib.Path("../shared/data"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--net", action="store_true")
    options = parser.parse_args()
    others = peers()
    cells = [("GTSRB-8, stop to 60, 5 %", gtsrb, 0.05, 14, 3), ("GTSRB-8, all to one, 5 %", gtsrb, 0.05, None, 3),
             ("GTSRB-8, clean", gtsrb, 0, 14, 3), ("MNIST, 7 to 1, 5 %", mnist, 0.05, 7, 1), ("MNIST, clean", mnist, 0, 7, 1)]
    print("| data, attack | seed, embedding | " + " | ".join([*OURS.values(), *others]) + " |")
    print("|---" * (2 + len(OURS) + len(others)) + "|")
    for title, load, share, source, target in cells:
        images, labels = load(options.shared)
        for seed in options.seeds if share else options.seeds[:1]:
            pictures, given, poisoned = plant(images, labels, share, seed, source, target)
            codes = np.unique(given, return_inverse=True)[1]
            for net in (False, True) if options.net else (False,):
                vectors = embed(pictures, given, net, seed)
                row = [cell(flagged, poisoned, s) for flagged, s in (ours(options.bezoar, vectors, given, r) for r in OURS)]
                for detect in others.values():
                    begin = time.perf_counter()
                    clean = np.asarray(detect(vectors, codes, max(share, 0.01)), bool)
                    row.append(cell(~clean, poisoned, time.perf_counter() - begin))
                print(f"| {title} | {seed}, {'net' if net else 'PCA'} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
