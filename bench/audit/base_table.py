#!/usr/bin/env python3
"""Compares each network of base_nets.py with its base and prints how often BZ-M009 warns, by variant.

    base_table.py FOLDER [--bezoar build/bezoar] [--verbose]
"""
import argparse
import collections
import json
import pathlib
import subprocess


def findings(bezoar, model, base):
    r = subprocess.run([bezoar, "scan", model, "--base", base, "--only", "BZ-M009", "--format", "json"], capture_output=True, text=True)
    return [f for f in json.loads(r.stdout)["findings"] if f["rule"] == "BZ-M009"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--bezoar", default="build/bezoar")
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    found, notes = collections.defaultdict(list), collections.defaultdict(int)
    for base in sorted(a.folder.glob("*-base.safetensors")):
        for model in sorted(a.folder.glob(base.name[:-len("base.safetensors")] + "*.safetensors")):
            if model == base:
                continue
            seed, kind, variant = model.stem.split("-", 2)
            rows = findings(a.bezoar, model, base)
            warned = [f for f in rows if f["severity"] != "note"]
            found[kind, variant].append(bool(warned))
            notes[kind, variant] += any("merged adapter" in f["title"] for f in rows)
            for f in warned if a.verbose else ():
                print(seed, f["title"][len(str(model)) + 2:])
    print("| network | what was made of the base | models | with a warning | called a merged adapter |\n|---|---|--:|--:|--:|")
    for (kind, variant), rows in sorted(found.items(), key=lambda x: (x[0][1][:2] != "ok", x[0])):
        print(f"| {kind} | {variant} | {len(rows)} | {sum(rows)} | {notes[kind, variant]} |")


if __name__ == "__main__":
    main()
