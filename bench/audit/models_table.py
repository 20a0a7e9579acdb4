#!/usr/bin/env python3
"""The tables of docs/benchmarks/audit_models.md: networks and adapters scanned with the built command.

    models_table.py final NETS...       last layers (BZ-M011), of what final_layer_nets.py wrote
    models_table.py lineage NETS...     derived, put into another order, independent (BZ-M012), of the same networks and
                                        of what lineage_nets.py wrote
    models_table.py adapters LORAS      ranks (BZ-M010), of what lora_adapters.py wrote: the bank from seeds below 1000
"""
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

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


def pairs_of(folder):
    """{what: pairs of (model, base)}"""
    if (folder / "nets.csv").exists():
        nets = {r[0]: (folder / r[0], r) for r in rows(folder, "nets.csv")}
        clean = [(path, r) for path, r in nets.values() if r[3] == "clean"]
        return {"convolutional, from the same start, one on poisoned data":
                [(nets[r[0].replace("clean", "bad")][0], path) for path, r in clean],
                "convolutional, independent, same data and size":
                [(one, other) for (one, a), (other, b) in itertools.combinations(clean, 2) if (a[1], a[6]) == (b[1], b[6])]}
    seeds = sorted(int(p.stem) for p in folder.glob("*.pt") if p.stem.isdigit())
    return {"residual, fine-tuned": [(folder / f"{s}-tuned.pt", folder / f"{s}.pt") for s in seeds],
            "residual, fine-tuned, hidden units in another order": [(folder / f"{s}-turned.pt", folder / f"{s}.pt") for s in seeds],
            "residual, independent": [(folder / f"{a}.pt", folder / f"{b}.pt") for a in seeds for b in seeds if a != b and (a - b) % 2 == 0]}


def lineage(folders):
    words = ("derived from the base, p", "another order", "remains open", "nothing shows")
    print("| pairs | derived | derived, in another order | open | independent | p ≤ 0.05 in the same order | in any order | units matched alike |")
    print("|---|---|---|---|---|---|---|---|")
    for name, pairs in (item for folder in folders for item in pairs_of(folder).items()):
        said, same, matched, alike = [], [], [], []
        for model, base in pairs:
            (f,) = findings("BZ-M012", model, "--base", base)
            said.append(next(i for i, w in enumerate(words) if w in f["title"]))
            same.append(evidence(f, "p, units in the same order") <= 0.05)
            if evidence(f, "p, units in any order") is not None:
                matched.append(evidence(f, "p, units in any order") <= 0.05)
                alike.append(evidence(f, "share of units matched alike"))
        spread = f"{min(alike):.2f} to {max(alike):.2f}" if alike else "–"
        print(f"| {name} | " + " | ".join(share([s == i for s in said]) for i in range(4)) + f" | {share(same)} | "
              f"{share(matched) if matched else '–'} | {spread} |")


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
