#!/usr/bin/env python3
"""The tables of docs/benchmarks/audit_models.md: networks and adapters scanned with the built command.

    models_table.py final NETS...       last layers (BZ-M011), of what final_layer_nets.py wrote
    models_table.py lineage NETS...     derived, put into another order, independent (BZ-M012), of the same networks
    models_table.py adapters LORAS      ranks (BZ-M010), of what lora_adapters.py wrote: the bank from seeds below 1000
"""
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

BINARY = os.environ.get("BEZOAR_BIN", str(pathlib.Path(__file__).parents[2] / "build/bezoar"))


def findings(rule, *args):
    done = subprocess.run([BINARY, "scan", *map(str, args), "--only", rule, "--format", "json"], capture_output=True, text=True,
                          check=False)
    return [f for f in json.loads(done.stdout)["findings"] if f["rule"] == rule]


def evidence(finding, key):
    return next((e["number"] for e in finding["evidence"] if e["key"] == key), None)


def rows(folder, name):
    with open(folder / name, newline="", encoding="ascii") as table:
        return list({r[0]: r for r in csv.reader(table)}.values())


def share(hits):
    return f"{sum(hits)} of {len(hits)}"


def final(folders):
    print("| networks | accuracy | sticker works | p ≤ 0.02 | p ≤ 0.05 | the class that stands out is the target |\n|---|---|---|---|---|---|")
    nets = [(folder, r) for folder in folders for r in rows(folder, "nets.csv")]
    for data, kind in itertools.product(("mnist", "gtsrb"), ("clean", "bad")):
        seen = []
        for folder, r in nets:
            if (r[1], r[3]) != (data, kind):
                continue
            (f,) = findings("BZ-M011", folder / r[0])
            seen.append((float(r[8]), float(r[9]), f["p_value"], evidence(f, "class") == int(r[4])))
        accuracy, success, p, hit = map(np.array, zip(*seen))
        print(f"| {data}, {kind} | {accuracy.mean():.3f} | {success.mean():.3f} | {share(p <= 0.02)} | {share(p <= 0.05)} | "
              f"{share(hit)} |")


def reorder(state, seed):
    """The same function: hidden units of every layer in another order."""
    rng = np.random.default_rng(seed)
    out = {k: v.clone() for k, v in state.items()}
    for first, second in (("0", "2"), ("2", "5"), ("5", "7")):
        n = len(out[first + ".bias"])
        order = torch.tensor(rng.permutation(n))
        out[first + ".weight"], out[first + ".bias"] = out[first + ".weight"][order], out[first + ".bias"][order]
        w = out[second + ".weight"]
        blocks = w.reshape(len(w), n, -1)
        out[second + ".weight"] = blocks[:, order].reshape(w.shape)
    return out


def lineage(folders):
    nets = {r[0]: (folder / r[0], r) for folder in folders for r in rows(folder, "nets.csv")}
    clean = [(path, r) for path, r in nets.values() if r[3] == "clean"]
    pairs = {"trained from the same start, one on poisoned data": [], "… its hidden units in another order": [],
             "the same, with noise of half its size, in another order": [], "independent, same data and size": []}
    names = list(pairs)
    with tempfile.TemporaryDirectory() as scratch:
        for path, r in clean:
            bad = nets[r[0].replace("clean", "bad")][0]
            pairs[names[0]].append((bad, path))
            for which, source, noise in ((1, bad, 0), (2, path, 0.5)):
                state = torch.load(source)
                torch.manual_seed(int(r[2]))
                state = {k: v + noise * v.std() * torch.randn_like(v) for k, v in state.items()}
                target = pathlib.Path(scratch) / f"{which}-{r[0]}"
                torch.save(reorder(state, int(r[2])), target)
                pairs[names[which]].append((target, path))
        for (one, a), (other, b) in itertools.combinations(clean, 2):
            if (a[1], a[6]) == (b[1], b[6]):
                pairs[names[3]].append((one, other))
        print("| pairs | derived (p ≤ 0.001) | derived, in another order | open | independent | p ≤ 0.05 in the same order | in any order |")
        print("|---|---|---|---|---|---|---|")
        for name, list_of in pairs.items():
            said, same, any_order = [], [], []
            for model, base in list_of:
                (f,) = findings("BZ-M012", model, "--base", base)
                said.append(next(i for i, words in enumerate(("derived from the base, p", "another order", "remains open",
                                                              "nothing shows")) if words in f["title"]))
                same.append(evidence(f, "p, units in the same order") <= 0.05)
                p = evidence(f, "p, units in any order")
                if p is not None:
                    any_order.append(p <= 0.05)
            print(f"| {name} | " + " | ".join(share([s == i for s in said]) for i in range(4)) + f" | {share(same)} | {share(any_order)} |")


def adapters(folders):
    folder = folders[0]
    table = rows(folder, "adapters.csv")
    bank = folder / "known.bank"
    bank.unlink(missing_ok=True)
    known = [folder / r[0] for r in table if int(r[1]) < 1000 and r[2] == "clean"]
    subprocess.run([BINARY, "bank", "add", bank, *known], check=True, capture_output=True)
    print(f"{len(known)} reference adapters.\n\n| adapters | accuracy | sticker works | warnings by rank (p ≤ 0.05) | a module stands out |")
    print("|---|---|---|---|---|")
    for kind in ("clean", "bad"):
        seen = []
        for r in table:
            if int(r[1]) < 1000 or r[2] != kind:
                continue
            found = findings("BZ-M010", folder / r[0], "--bank", bank)
            seen.append((float(r[5]), float(r[6]), any("reference" in f["title"] and f["severity"] == "warning" for f in found),
                         any("of its kind" in f["title"] for f in found)))
        accuracy, success, ranked, stands_out = map(np.array, zip(*seen))
        print(f"| {kind} | {accuracy.mean():.3f} | {success.mean():.3f} | {share(ranked)} | {share(stands_out)} |")


if __name__ == "__main__":
    {"final": final, "lineage": lineage, "adapters": adapters}[sys.argv[1]]([pathlib.Path(p) for p in sys.argv[2:]])
