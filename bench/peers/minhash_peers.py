#!/usr/bin/env python3
"""MinHash near-duplicate search against datasketch, on the same sets in one run.

    python3 -m venv build/venv-text-peers
    build/venv-text-peers/bin/pip install numpy datasketch
    build/venv-text-peers/bin/python bench/peers/minhash_peers.py [--quick] [-o OUT.json]

Both sides: 128 permutations, 32 bands of 4, pairs that share a band. The candidates are then compared exactly, outside the
clock; an answer is the set of pairs with a Jaccard similarity of .4 or more. The two sides draw their own hash functions, so
answers are equal where their recall against all such pairs is (they are found by brute force among planted copies).
The bar: at least 10 times as fast.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np

import peer


def make_sets(n, seed):
    """Random sets of 40 to 80 features; every fifth is an earlier one with 5 to 60 % of its features redrawn."""
    rng = np.random.default_rng(seed)
    sets, parents = [], {}
    for i in range(n):
        if i % 5 == 4:
            parent = int(rng.integers(0, i))
            base = sets[parent].copy()
            change = rng.random(base.size) < rng.uniform(0.05, 0.6)
            base[change] = rng.integers(0, 2**32, change.sum(), dtype=np.uint32)
            sets.append(np.unique(base))
            parents[i] = parent
        else:
            sets.append(np.unique(rng.integers(0, 2**32, int(rng.integers(40, 81)), dtype=np.uint32)))
    return sets, parents


def jaccard(a, b):
    both = np.intersect1d(a, b, assume_unique=True).size
    return both / (a.size + b.size - both)


def ours(tool, folder, sets, threads, runs):
    at = np.concatenate([[0], np.cumsum([s.size for s in sets])]).astype(np.uint64)
    at.tofile(folder / "at")
    np.concatenate(sets).tofile(folder / "ids")
    took = float(subprocess.run([str(tool), str(folder / "at"), str(folder / "ids"), str(len(sets)), str(threads), str(runs),
                                 str(folder / "pairs")], check=True, capture_output=True, text=True).stdout)
    return took, {tuple(p) for p in np.fromfile(folder / "pairs", np.uint32).reshape(-1, 2).tolist()}


def theirs(sets):
    from datasketch import MinHash, MinHashLSH

    start = time.perf_counter()
    lsh = MinHashLSH(num_perm=128, params=(32, 4))
    pairs = set()
    for i, features in enumerate(sets):
        m = MinHash(num_perm=128, hashfunc=int)  # features are hashes already: no second hashing is charged
        m.update_batch(features.tolist())
        pairs.update((j, i) for j in lsh.query(m))
        lsh.insert(i, m)
    return time.perf_counter() - start, pairs


def related(parents, i):
    """The chain of originals of a set."""
    while i in parents:
        i = parents[i]
    return i


def truth(sets, parents):
    families = {}
    for i in range(len(sets)):
        families.setdefault(related(parents, i), []).append(i)
    found = set()
    for family in families.values():
        for k, i in enumerate(family):
            found.update((i, j) for j in family[k + 1:] if jaccard(sets[i], sets[j]) >= 0.4)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", dest="out")
    arguments = parser.parse_args()
    n = 4000 if arguments.quick else 20000
    sets, parents = make_sets(n, 5)
    want = truth(sets, parents)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tool = peer.build("minhash_peer", folder)
        our_time, our_pairs = ours(tool, folder, sets, 2, 3)
        one_time, _ = ours(tool, folder, sets, 1, 3)
    their_time, their_pairs = theirs(sets)
    result = {"sets": n, "pairs": len(want), "seconds": {"bezoar": our_time, "bezoar_one_thread": one_time,
                                                         "datasketch": their_time},
              "recall": {"bezoar": len(want & our_pairs) / len(want), "datasketch": len(want & their_pairs) / len(want)},
              "candidates": {"bezoar": len(our_pairs), "datasketch": len(their_pairs)},
              "ratio": their_time / our_time, "ratio_one_thread": their_time / one_time}
    print(json.dumps(result, indent=2))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    equal = abs(result["recall"]["bezoar"] - result["recall"]["datasketch"]) < 0.02
    raise SystemExit(0 if equal and result["ratio"] >= 10 else 1)


if __name__ == "__main__":
    main()
