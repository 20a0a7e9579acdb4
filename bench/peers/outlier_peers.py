#!/usr/bin/env python3
"""Outlier scores against PyOD and scikit-learn, on the same arrays in one run.

    python3 -m venv build/venv-outlier-peers
    build/venv-outlier-peers/bin/pip install numpy pyod scikit-learn
    cmake -S . -B build -DBEZ_PYTHON_EXTENSION=ON && ninja -C build
    PYTHONPATH=build/python build/venv-outlier-peers/bin/python bench/peers/outlier_peers.py [--quick] [-o OUT.md]

Answers: area under the ROC curve on data sets that both packages bundle or generate; of classes, the odd one loses rows
until it is a tenth. ECOD and COPOD draw nothing and must agree within .001; isolation forest and robust covariance are
means over ten seeds and must agree within .01. Of make_classification, whose covariance is singular, the principal
components that vary stand in a row of their own. Speed: medians of CPU and wall time on two threads, fit and scores of
the training rows.
"""
import argparse
import os
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "2")
warnings.filterwarnings("ignore")

import numpy as np
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.mcd import MCD
from pyod.utils.data import generate_data
from sklearn import datasets
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

import bezoar

THREADS = 2


def rare(X, classes, odd, share=0.1):
    """All rows of the other classes, and so many of the odd one that they are a share of all."""
    odd_rows, others = np.flatnonzero(classes == odd), np.flatnonzero(classes != odd)
    keep = min(len(odd_rows), int(round(share * len(others) / (1 - share))))
    rows = np.sort(np.r_[others, np.random.default_rng(0).permutation(odd_rows)[:keep]])
    return X[rows], (classes[rows] == odd).astype(int)


def bundled():
    for name, odd in (("breast_cancer", 0), ("wine", 0), ("iris", 2), ("digits", 8)):
        data = getattr(datasets, "load_" + name)()
        yield name, *rare(data.data, data.target, odd)
    data = datasets.load_diabetes()
    yield "diabetes", *rare(data.data, (data.target > 250).astype(int), 1)


def generated():
    for n, d, seed in ((500, 2, 1), (1000, 5, 2), (2000, 10, 3), (3000, 20, 4)):
        X, y = generate_data(n_train=n, n_test=10, n_features=d, contamination=0.1, random_state=seed)[0::2]
        yield f"generate_data {n}x{d}", X, y.astype(int)
    rng = np.random.default_rng(6)
    X, _ = datasets.make_blobs(1800, 6, centers=4, random_state=6)
    X = np.r_[X, rng.uniform(X.min(0) - 2, X.max(0) + 2, (200, 6))]
    yield "make_blobs 2000x6", X, np.r_[np.zeros(1800), np.ones(200)].astype(int)
    X, y = datasets.make_classification(3000, 12, n_informative=6, weights=[0.95], class_sep=1.5, flip_y=0,
                                        random_state=7)
    yield "make_classification 3000x12", X, y
    u, scale, _ = np.linalg.svd(X - X.mean(0), full_matrices=False)
    kept = int(np.sum(scale > 1e-8 * scale[0]))
    yield f"its {kept} components", u[:, :kept] * scale[:kept], y
    X, _ = datasets.make_moons(1900, noise=0.05, random_state=8)
    X = np.r_[X, rng.uniform(X.min(0) - 0.5, X.max(0) + 0.5, (100, 2))]
    yield "make_moons 2000x2", X, np.r_[np.zeros(1900), np.ones(100)].astype(int)


def ours(X, method, seed=0):
    return bezoar.outliers(X, method=method, seed=seed, threads=THREADS)


PEERS = {
    "ecod": {"PyOD": lambda X, s: ECOD().fit(X).decision_scores_},
    "copod": {"PyOD": lambda X, s: COPOD().fit(X).decision_scores_},
    "isolation-forest": {
        "PyOD": lambda X, s: IForest(random_state=s).fit(X).decision_scores_,
        "scikit-learn": lambda X, s: -IsolationForest(random_state=s).fit(X).score_samples(X),
    },
    "robust-covariance": {
        "PyOD": lambda X, s: MCD(random_state=s).fit(X).decision_scores_,
        "scikit-learn": lambda X, s: EllipticEnvelope(random_state=s).fit(X).dist_,
    },
}

TWO_JOBS = {"PyOD, n_jobs=2": lambda X, s: ECOD(n_jobs=2).fit(X).decision_scores_}


def mean_auc(score, X, y, seeds):
    try:
        values = [roc_auc_score(y, score(X, s)) for s in range(seeds)]
        return float(np.mean(values)), float(np.std(values))
    except ValueError as error:
        return float("nan"), str(error)[:40]


def answers(say, seeds):
    say("| data | rows x columns | method | ours | peer | difference | spread of the peer over seeds |")
    say("|---|---|---|---|---|---|---|")
    missed = 0
    for name, X, y in [*bundled(), *generated()]:
        for method, peers in PEERS.items():
            fixed = method in ("ecod", "copod")
            n = 1 if fixed else seeds
            mine, _ = mean_auc(lambda X, s: ours(X, method, s), X, y, n)
            theirs, spread = mean_auc(list(peers.values())[-1], X, y, n)
            gap = mine - theirs
            out = not abs(gap) <= (0.001 if fixed else 0.01)
            missed += out
            spread = "" if fixed else spread if isinstance(spread, str) else f"{spread:.4f}"
            mark = "**" if out else ""
            say(f"| {name} | {X.shape[0]} x {X.shape[1]} | {method} | {mine:.4f} | {theirs:.4f} | "
                f"{mark}{gap:+.4f}{mark} | {spread} |")
    say(f"\n{missed} comparisons beyond the bar.\n")


def took(function):
    """CPU seconds of this process, and seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    function()
    return time.process_time() - cpu, time.perf_counter() - wall


def speed(say, quick):
    """Medians; the sides take turns, so that what else the machine does meets both."""
    say("| rows x columns | method | ours, CPU ms | ours, ms | peer | CPU ms | ms | times, CPU | times |")
    say("|---|---|---|---|---|---|---|---|---|")
    for n, d in ((5000, 10), (20000, 10)) if quick else ((5000, 10), (20000, 10), (100000, 10), (20000, 40)):
        X = generate_data(n_train=n, n_test=10, n_features=d, contamination=0.1, random_state=9)[0]
        for method, peers in {**PEERS, "ecod": {**PEERS["ecod"], **TWO_JOBS}}.items():
            slow = method == "robust-covariance"
            sides = {"ours": lambda: ours(X, method), **{name: lambda f=f: f(X, 0) for name, f in peers.items()}}
            for side in sides.values() if not slow else ():
                side()  # numba compiles, workers start
            times = {name: [] for name in sides}
            for _ in range(1 if slow else 7 if n < 100000 else 5):
                for name, side in sides.items():
                    times[name] += [took(side) for _ in range(3 if name == "ours" else 1)]
            cpu, wall = ({name: 1e3 * float(np.median([t[k] for t in all])) for name, all in times.items()}
                         for k in (0, 1))
            for peer in peers:
                with_workers = peer in TWO_JOBS  # their time is not this process's
                say(f"| {n} x {d} | {method} | {cpu['ours']:.2f} | {wall['ours']:.2f} | {peer} | "
                    + ("| " if with_workers else f"{cpu[peer]:.1f} | ") + f"{wall[peer]:.1f} | "
                    + ("| " if with_workers else f"{cpu[peer] / cpu['ours']:.1f} | ")
                    + f"{wall[peer] / wall['ours']:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three seeds, small matrices")
    parser.add_argument("--only", choices=("answers", "speed"), help="one of the two tables")
    parser.add_argument("-o", "--out", help="also write the tables to this file")
    options = parser.parse_args()
    lines = []

    def say(line):
        print(line, flush=True)
        lines.append(line)

    if options.only != "speed":
        answers(say, 3 if options.quick else 10)
    if options.only != "answers":
        speed(say, options.quick)
    if options.out:
        with open(options.out, "w") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
